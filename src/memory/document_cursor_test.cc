#include "memory/document_cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DocumentCursor, SaysWhatItWasGiven) {
  const DocumentCursor cursor = {.contents = HashOf("contents"),
                                 .begin = 7,
                                 .end = 2055,
                                 .bytes = 9000,
                                 .title = {TitleReference({0, "house.md"})}};
  const std::string text = FormatDocumentCursor(cursor);
  EXPECT_TRUE(IsDocumentCursor(text));
  EXPECT_EQ(text.find("house"), std::string::npos) << "it holds no text";
  const auto parsed = ParseDocumentCursor(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->contents, cursor.contents);
  EXPECT_EQ(parsed->path, "");
  EXPECT_EQ(parsed->begin, 7);
  EXPECT_EQ(parsed->end, 2055);
  EXPECT_FALSE(parsed->whole());
  EXPECT_EQ(parsed->title, cursor.title);
  EXPECT_EQ(FormatDocumentCursor(*parsed), text);
}

TEST(DocumentCursor, OthersAreNone) {
  for (const char* text :
       {"", "xxh3:0123456789abcdef turn 2 byte 3", "document", "document ", "document a b",
        "document a b 1", "document a b 1 2", "document a b 2 1 3", "document a b -1 2 3",
        "document a b 1 2 99999999999999999999", "document a b 1 x 3", "document a b 1 2 3x"}) {
    EXPECT_FALSE(ParseDocumentCursor(text)) << text;
  }
}

TEST(DocumentCursor, TitlesAreReadAsFarAsTheyAreThere) {
  const std::string journal = "house.md\n\n# Boiler\troom\n";
  const auto read = [&](int64_t begin, int64_t end) -> Result<std::string> {
    EXPECT_LE(end - begin, 4096);
    if (begin >= static_cast<int64_t>(journal.size())) return "";
    return journal.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  };
  const auto title = [&](std::vector<std::string> references) {
    return ReadTitle(FormatDocumentCursor({.title = std::move(references)}), read).value();
  };
  const std::string name = TitleReference({0, "house.md"});
  const std::string heading = TitleReference({12, "Boiler\troom"});
  EXPECT_EQ(title({name, heading}), "house.md > Boiler room");
  EXPECT_EQ(title({TitleReference({1, "house.md"}), heading}), "Boiler room");
  for (const char* wrong : {"", ":", "0", "0:8", "0:8:", "x:8:00000000", "0:9999999:00000000",
                            "-1:8:00000000", "4611686018427387903:8:00000000", "0:8:00000000:1"}) {
    EXPECT_EQ(title({wrong, name}), "house.md") << wrong;
  }
  EXPECT_EQ(title(std::vector<std::string>(1000, name)).size(), 7 * 8 + 6 * 3u) << "no more parts";
  EXPECT_EQ(ReadTitle("xxh3:0 turn 1 byte 2", read).value(), "");
  EXPECT_FALSE(ReadTitle(FormatDocumentCursor({.title = {name}}), [](int64_t, int64_t) {
    return Result<std::string>(Fail(ErrorKind::kIo, "", "broken"));
  }));
}

RC_GTEST_PROP(DocumentCursorProperty, AnyTextIsReadWithoutHarm, (const std::string& text)) {
  const std::string cursor = "document " + text;
  const auto parsed = ParseDocumentCursor(cursor);
  if (parsed) RC_ASSERT(parsed->begin >= 0 && parsed->begin <= parsed->end);
  const auto nothing = [](int64_t begin, int64_t end) -> Result<std::string> {
    RC_ASSERT(begin >= 0 && begin <= end);
    return "";
  };
  RC_ASSERT(ReadTitle(cursor, nothing).has_value());
}

class DocumentTurns : public ::testing::Test {
 protected:
  // A turn, of a document if a cursor is given.
  void Say(Role role, std::string_view text, const std::string& cursor) {
    JournalRecord header;
    header.turn = stream_->next_turn();
    header.role = role;
    header.kind = RecordKind::kTemplate;
    header.begin = stream_->journal_end();
    header.ids.assign(2, TokenId(1));
    JournalRecord record = header;
    record.kind = RecordKind::kText;
    record.begin = header.end();
    record.bytes = text;
    record.token_ends = FakeTokenEnds(text);
    record.ids.assign(record.token_ends.size(), TokenId(1));
    record.source_cursor = cursor;
    ASSERT_TRUE(stream_->Append(std::move(header)));
    ASSERT_TRUE(stream_->Append(std::move(record)));
    ASSERT_TRUE(stream_->Sync());
    ASSERT_TRUE(stream_->Index(false));
  }
  std::vector<std::string> Units() {
    std::vector<std::string> units;
    auto found = memory_->Search("s", "word", 1000).value();
    std::sort(found.begin(), found.end(),
              [](const Passage& a, const Passage& b) { return a.span.begin < b.span.begin; });
    for (const Passage& passage : found) units.push_back(passage.text);
    return units;
  }

  const std::string document_ = FormatDocumentCursor({.contents = HashOf("x")});
  std::unique_ptr<Memory> memory_ = OpenMemory("", FakeEmbedder()).value();
  std::unique_ptr<StreamMemory> stream_ = memory_->OpenStream("s", "tokenizer").value();
};

TEST_F(DocumentTurns, AreTextsOfTheirOwn) {
  Say(Role::kUser, "Said before", "");
  EXPECT_LT(stream_->indexed_end(), stream_->journal_end());
  Say(Role::kUser, "the first piece", document_);
  EXPECT_EQ(stream_->indexed_end(), stream_->journal_end()) << "nothing that comes is part of it";
  Say(Role::kUser, "the second piece", document_);
  Say(Role::kUser, "said behind", "");
  Say(Role::kUser, "and more", "xxh3:0123456789abcdef turn 0 byte 8");
  EXPECT_THAT(Units(), ElementsAre("Said before", "the first piece", "the second piece",
                                   "said behind\nand more"));
  EXPECT_EQ(stream_->LastCursor().value(), "xxh3:0123456789abcdef turn 0 byte 8");
  Say(Role::kUser, "a third piece", document_);
  EXPECT_EQ(stream_->LastCursor().value(), "xxh3:0123456789abcdef turn 0 byte 8")
      << "a file is gone on with behind documents";
  const VerifyReport report = memory_->Verify().value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
}

TEST_F(DocumentTurns, PassagesEndWithThem) {
  Say(Role::kUser, "The ferry to Skagen leaves at seven from the northern pier.", document_);
  Say(Role::kUser, "The parrots are green and live in the orangery of my sister.", document_);
  RecallQuery query;
  query.turn_text = "When does the ferry to Skagen leave?";
  query.mode = RecallMode::kAlways;
  query.threshold = 0.0f;
  const RecallResult recalled = stream_->Recall(query).value();
  EXPECT_FALSE(recalled.passages.empty());
  for (const Passage& passage : recalled.passages) {
    EXPECT_NE(passage.text.find("ferry") == std::string::npos,
              passage.text.find("parrots") == std::string::npos)
        << passage.text;
  }
}

}  // namespace
}  // namespace anabranch
