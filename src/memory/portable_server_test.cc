// Moving and rebuilding memories, on real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory/memory_test_support.h"
#include "memory/store_fixtures.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

constexpr const char* kQuestion = "When does the ferry to Skagen leave?";

void SayFacts(Writer* writer) {
  for (const char* fact : {"The ferry to Skagen leaves at seven from the northern pier.",
                           "My sister keeps eleven green parrots in her orangery.",
                           "The password of the telescope control room is heliotrope."}) {
    writer->Say(Role::kUser, fact);
    writer->Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  }
}

std::vector<std::string> Exported(Memory& memory) {
  std::vector<std::string> lines;
  EXPECT_TRUE(memory.Export("", [&](std::string_view line) -> Result<void> {
    lines.emplace_back(line);
    return {};
  }));
  return lines;
}

Result<StreamsReport> Import(Memory& memory, const std::vector<std::string>& lines) {
  size_t at = 0;
  return memory.Import(
      [&]() -> Result<std::optional<std::string>> {
        return at < lines.size() ? std::optional(lines[at++]) : std::nullopt;
      },
      {});
}

TEST(Portable, FromStoreToStoreAnExportStaysTheSameToTheByte) {
  StoreFixture first(StoreKind::kSqlite), last(StoreKind::kSqlite);
  const auto memory = first.Open("journal").value();
  for (const char* name : {"s", "a \xff name"}) {
    const auto stream = memory->OpenStream(name, "tokenizer+template").value();
    Writer writer(stream.get());
    SayFacts(&writer);
    writer.Say(Role::kUser, std::string("A zero \0 byte, half \xe6\x97 a character, \xff.", 38), 2);
  }
  ASSERT_TRUE(memory->Forget("s", {.matching = "green parrots"}, false));
  const std::vector<std::string> lines = Exported(*memory);
  StoreFixture postgres(StoreKind::kPostgres), chroma(StoreKind::kChroma);
  for (StoreFixture* store : {&postgres, &chroma, &last}) {
    {
      const auto copy = store->Open("journal").value();
      const auto report = Import(*copy, lines);
      ASSERT_TRUE(report) << report.error().Message();
      EXPECT_EQ(report->behind, "");
      EXPECT_EQ(Import(*copy, lines).error().kind, ErrorKind::kInvalid);
      EXPECT_EQ(Exported(*copy), lines);
      const VerifyReport verified = copy->Verify().value();
      EXPECT_TRUE(verified.ok) << ::testing::PrintToString(verified.faults);
    }
    // The server has it: another journal may not bring a stream of that name.
    const auto again = store->Open("journal").value();
    const auto stream = again->OpenStream("s", "tokenizer+template").value();
    RecallQuery query;
    query.turn_text = kQuestion;
    query.mode = RecallMode::kAlways;
    const RecallResult found = stream->Recall(query).value();
    EXPECT_EQ(found.fault, "");
    ASSERT_FALSE(found.passages.empty());
    EXPECT_THAT(found.passages[0].text, HasSubstr("leaves at seven"));
    if (store == &last) continue;
    const auto other = store->Open("another journal").value();
    EXPECT_THAT(Import(*other, lines).error().Message(), HasSubstr("already"));
    EXPECT_TRUE(other->List().value().empty());
  }
}

}  // namespace
}  // namespace anabranch
