// No hole between window and memory, however text arrives.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "memory/memory_test_support.h"
#include "memory/sqlite_db.h"

namespace anabranch {
namespace {

struct Session {
  explicit Session(const std::string& location)
      : memory(OpenMemory(location, FakeEmbedder()).value()),
        stream(memory->OpenStream("s", "t").value()),
        writer(stream.get()) {}
  std::unique_ptr<Memory> memory;
  std::unique_ptr<StreamMemory> stream;
  Writer writer;
};

// A random conversation: (role, text) per turn.
std::vector<std::pair<Role, std::string>> ArbitraryTurns() {
  const auto text = rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
          "The fox ran over the old stone bridge at dawn. ", "Why? ", "no end here ", "Yes. ",
          "\n\n", "Where did Dr. Who go? ", "一二三四五。", "x = y[1];\n", "   ")),
      [](const std::vector<std::string>& parts) {
        std::string joined;
        for (const std::string& part : parts) joined += part;
        return joined;
      });
  const auto role = rc::gen::element(Role::kUser, Role::kUser, Role::kAssistant);
  // Sizes up to 12: a store is written for each.
  return *rc::gen::scale(0.12, rc::gen::container<std::vector<std::pair<Role, std::string>>>(
                                   rc::gen::pair(role, text)));
}

// The units of a memory file, as its rows say.
std::vector<std::vector<int64_t>> UnitsOf(const std::string& path) {
  const auto db = Database::Open(path, path).value();
  auto select = db->Prepare(
                      "SELECT text_begin, text_end, \"begin\", \"end\", turn, role, "
                      "question FROM unit ORDER BY text_begin")
                    .value();
  std::vector<std::vector<int64_t>> rows;
  while (select.Step().value()) {
    rows.emplace_back();
    for (int c = 0; c < 7; ++c) rows.back().push_back(select.Int(c));
  }
  return rows;
}

RC_GTEST_PROP(MemoryProperty, NoHoleHoweverTextArrives, ()) {
  const auto turns = ArbitraryTurns();
  TempDir dir;
  const std::string one = dir.File("one"), many = dir.File("many");
  std::map<int64_t, std::string> token_text;  // of each text token
  {
    Session s(one);
    for (const auto& [role, text] : turns) {
      const StreamSpan span = s.writer.Say(role, text);
      uint32_t from = 0;
      int64_t pos = span.begin.value() + 3;
      for (const uint32_t end : FakeTokenEnds(text)) {
        token_text[pos++] = text.substr(from, end - from);
        from = end;
      }
    }
    s.writer.Say(Role::kSystem, "The end of it all has come now, at last.");
    s.writer.Say(Role::kAssistant, "Over.");
    RC_ASSERT(s.memory->Verify().value().ok);
  }
  auto session = std::make_unique<Session>(many);
  for (const auto& [role, text] : turns) {
    session->writer.Say(role, text, static_cast<size_t>(*rc::gen::inRange(1, 40)),
                        *rc::gen::arbitrary<bool>());
    if (*rc::gen::inRange(0, 4) == 0) {
      session.reset();
      session = std::make_unique<Session>(many);
    }
    const StreamPos indexed = session->stream->indexed_end();
    RC_ASSERT(indexed <= session->stream->journal_end());
    const auto units = UnitsOf(many);
    for (const auto& [pos, piece] : token_text) {
      if (pos >= indexed.value() || piece.find_first_not_of(" \n") == std::string::npos) continue;
      RC_ASSERT(std::any_of(units.begin(), units.end(), [p = pos](const std::vector<int64_t>& u) {
        return u[2] <= p && p < u[3];
      }));
    }
  }
  session->writer.Say(Role::kSystem, "The end of it all has come now, at last.");
  session->writer.Say(Role::kAssistant, "Over.");
  RC_ASSERT(session->memory->Verify().value().ok);
  session.reset();
  RC_ASSERT(UnitsOf(one) == UnitsOf(many));
}

}  // namespace
}  // namespace anabranch
