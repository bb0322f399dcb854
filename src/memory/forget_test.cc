#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "memory/memory_test_support.h"
#include "memory/sqlite_db.h"

namespace anabranch {
namespace {

constexpr const char* kSecret =
    "The secret password of the blue submarine is marzipan, as everybody on board knows.";
constexpr const char* kOther = "The old stone bridge in the village was built by two brothers.";
constexpr StreamSpan kAll = {StreamPos(0), StreamPos(int64_t{1} << 40)};

struct Store {
  explicit Store(const std::string& path)
      : path_(path),
        memory(OpenMemory(path, FakeEmbedder()).value()),
        stream(memory->OpenStream("s", "t").value()),
        writer(stream.get()) {
    writer.Say(Role::kUser, std::string(kOther) + " " + kSecret + " " + kOther);
    writer.Say(Role::kAssistant, "Well noted, my friend.");
    writer.Say(Role::kUser, std::string("I say it again, and louder. ") + kSecret);
  }
  // All bytes of the files that the store has.
  std::string Bytes() const {
    std::string bytes;
    for (const char* suffix : {"", "-wal"}) {
      std::ifstream file(path_ + suffix, std::ios::binary);
      std::ostringstream out;
      out << file.rdbuf();
      bytes += out.str();
    }
    return bytes;
  }
  std::string path_;
  std::unique_ptr<Memory> memory;
  std::unique_ptr<StreamMemory> stream;
  Writer writer;
};

TEST(Forget, MatchingTextLeavesEveryByteOfTheFile) {
  TempDir dir;
  Store store(dir.File("m"));
  const StreamPos end = store.stream->journal_end();
  ASSERT_NE(store.Bytes().find("marzipan"), std::string::npos);
  const ForgetResult result = store.memory->Forget("s", {.matching = "Marzipan"}, false).value();
  EXPECT_TRUE(result.done);
  EXPECT_EQ(result.spans.size(), 2u);  // one is indexed, the other pending
  EXPECT_GE(result.text_bytes, 2 * static_cast<int64_t>(std::string(kSecret).size()));
  EXPECT_EQ(store.Bytes().find("marzipan"), std::string::npos);
  EXPECT_EQ(store.stream->journal_end(), end);
  EXPECT_EQ(store.stream->next_turn(), 3);
  const auto turns = store.memory->Show("s", kAll).value();
  ASSERT_FALSE(turns.empty());
  EXPECT_NE(turns[0].text.find("bridge"), std::string::npos);
  const VerifyReport report = store.memory->Verify().value();
  EXPECT_TRUE(report.ok) << report.faults[0];
  RecallQuery query;
  query.mode = RecallMode::kAlways;
  query.turn_text = "What is the secret password of the blue submarine?";
  const RecallResult recalled = store.stream->Recall(query).value();
  for (const Passage& passage : recalled.passages) {
    EXPECT_EQ(passage.text.find("marzipan"), std::string::npos);
  }
  store.writer.Say(Role::kAssistant, "The stream goes on as if nothing had been.");
  EXPECT_TRUE(store.memory->Verify().value().ok);
}

TEST(Forget, ADryRunSaysTheSameAndChangesNothing) {
  TempDir dir;
  Store store(dir.File("m"));
  const ForgetSelection what = {.matching = "marzipan"};
  const ForgetResult dry = store.memory->Forget("s", what, true).value();
  EXPECT_FALSE(dry.done);
  EXPECT_NE(store.Bytes().find("marzipan"), std::string::npos);
  const ForgetResult real = store.memory->Forget("s", what, false).value();
  EXPECT_EQ(dry.spans, real.spans);
  EXPECT_EQ(dry.units, real.units);
  EXPECT_EQ(dry.text_bytes, real.text_bytes);
  EXPECT_EQ(store.memory->Forget("s", what, true).value().text_bytes, 0);
}

TEST(Forget, AllLeavesOneGapAndTheStreamGoesOn) {
  TempDir dir;
  Store store(dir.File("m"));
  const StreamPos end = store.stream->journal_end();
  store.memory->Forget("s", {.all = true}, false).value();
  EXPECT_EQ(store.Bytes().find("bridge"), std::string::npos);
  EXPECT_TRUE(store.memory->Show("s", kAll).value().empty());
  EXPECT_EQ(store.stream->journal_end(), end);
  EXPECT_EQ(store.stream->indexed_end(), end);
  EXPECT_EQ(store.stream->next_turn(), 3);
  store.writer.Say(Role::kUser, kOther);
  EXPECT_EQ(store.memory->Show("s", kAll).value().size(), 1u);
  const auto infos = store.memory->List().value();
  EXPECT_EQ(infos[0].turns, 1);
  EXPECT_TRUE(store.memory->Verify().value().ok);
}

TEST(Forget, BeforeATimeForgetsWhatWasSaidEarlier) {
  TempDir dir;
  Store store(dir.File("m"));
  store.memory->Forget("", {.before_ms = 1000}, false).value();  // the first turn is of time 0
  const auto turns = store.memory->Show("", kAll).value();
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].turn, 1);
}

TEST(Forget, WhatIsNotSaidOnceIsRefused) {
  TempDir dir;
  Store store(dir.File("m"));
  EXPECT_EQ(store.memory->Forget("s", {}, false).error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(store.memory->Forget("s", {.before_ms = 1, .all = true}, false));
  EXPECT_FALSE(store.memory->Forget("s", {.matching = ""}, false));
  const auto other = OpenMemory(dir.File("m"), FakeEmbedder()).value();
  EXPECT_EQ(other->Forget("s", {.all = true}, false).error().kind, ErrorKind::kBusy);
  EXPECT_TRUE(other->Forget("s", {.all = true}, true));
}

TEST(Forget, WhatAReaderKeepsInTheLogIsSaidAndForgottenAllTheSame) {
  TempDir dir;
  Store store(dir.File("m"));
  auto reader = Database::Open(dir.File("m"), "reader").value();
  ASSERT_TRUE(reader->Exec("BEGIN"));
  ASSERT_GT(reader->QueryInt("SELECT count(*) FROM unit").value(), 0);
  const ForgetSelection what = {.matching = "marzipan"};
  const auto kept = store.memory->Forget("s", what, false);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().kind, ErrorKind::kBusy);
  EXPECT_NE(kept.error().fault.find("write-ahead log still holds it"), std::string::npos);
  EXPECT_NE(store.Bytes().find("marzipan"), std::string::npos);

  // Its vectors are gone from RAM as well: they would be found, without a text.
  const auto found = store.memory->Search("s", "the password of the blue submarine", 10).value();
  EXPECT_FALSE(found.empty());
  for (const Passage& passage : found) EXPECT_FALSE(passage.text.empty());

  reader.reset();
  EXPECT_TRUE(store.memory->Forget("s", what, false));
  EXPECT_EQ(store.Bytes().find("marzipan"), std::string::npos);
}

RC_GTEST_PROP(ForgetProperty, AnySpanLeavesASoundStoreWithoutItsText, ()) {
  TempDir dir;
  Store store(dir.File("m"));
  const int64_t end = store.stream->journal_end().value();
  for (int i = 0; i < 3; ++i) {
    const auto begin = *rc::gen::inRange<int64_t>(0, end);
    const StreamSpan span = {StreamPos(begin),
                             StreamPos(*rc::gen::inRange<int64_t>(begin, end) + 1)};
    RC_ASSERT(store.memory->Forget("s", {.span = span}, false).has_value());
    RC_ASSERT(store.memory->Show("s", span).value().empty());
    RC_ASSERT(store.memory->Verify().value().ok);
    RC_ASSERT(store.stream->journal_end().value() == end);
  }
  store.writer.Say(Role::kAssistant, kOther);
  store.writer.Say(Role::kUser, kOther);
  RC_ASSERT(store.memory->Verify().value().ok);
}

}  // namespace
}  // namespace anabranch
