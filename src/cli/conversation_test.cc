#include "cli/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>

namespace anabranch::cli {
namespace {

using ::testing::HasSubstr;

// Input that arrives in reads of at most `step` bytes.
Input InputOf(std::string name, std::string bytes, size_t step = 1 << 20) {
  const auto rest = std::make_shared<std::string>(std::move(bytes));
  return {.name = std::move(name), .read = [rest, step](std::span<char> buffer) -> Result<size_t> {
            const size_t n = std::min({step, rest->size(), buffer.size()});
            std::copy_n(rest->begin(), n, buffer.begin());
            rest->erase(0, n);
            return n;
          }};
}

Result<std::vector<Turn>> ReadTurns(Input input) {
  Result<ConversationReader> reader = ConversationReader::Open(std::move(input));
  if (!reader) return tl::unexpected(reader.error());
  std::vector<Turn> turns;
  while (true) {
    Result<std::optional<Turn>> turn = reader->Next();
    if (!turn) return tl::unexpected(turn.error());
    if (!*turn) return turns;
    turns.push_back(**turn);
  }
}

std::string FaultOf(std::string name, std::string bytes) {
  const Result<std::vector<Turn>> turns = ReadTurns(InputOf(std::move(name), std::move(bytes)));
  return turns ? "read without a fault" : turns.error().Message();
}

TEST(ConversationTest, ReadsTheSeedsList) {
  const auto turns = ReadTurns(InputOf("a.json", R"([
    {"role": "system", "content": "Be brief."},
    {"content": "Hé\nllo", "role": "user", "time": "1970-01-01T00:00:01Z", "meta": {"a": [1, {}]}},
    {"role": "assistant", "content": ""}])"));
  ASSERT_TRUE(turns) << turns.error().Message();
  ASSERT_EQ(turns->size(), 3u);
  EXPECT_EQ((*turns)[0].role, Role::kSystem);
  EXPECT_EQ((*turns)[0].text, "Be brief.");
  EXPECT_EQ((*turns)[0].time_ms, 0);
  EXPECT_EQ((*turns)[1].role, Role::kUser);
  EXPECT_EQ((*turns)[1].text, "H\u00E9\nllo");
  EXPECT_EQ((*turns)[1].time_ms, 1000);
  EXPECT_EQ((*turns)[2].role, Role::kAssistant);
}

TEST(ConversationTest, ReadsJsonLinesAsTheyCome) {
  const std::string lines =
      "{\"role\": \"user\", \"content\": \"a\"}\r\n\n{\"role\":\"assistant\",\"content\":\"b\"}";
  for (const size_t step : {1u, 7u, 1000u}) {
    const auto turns = ReadTurns(InputOf("stdin", lines, step));
    ASSERT_TRUE(turns) << turns.error().Message();
    ASSERT_EQ(turns->size(), 2u);
    EXPECT_EQ((*turns)[1].text, "b");
  }
}

TEST(ConversationTest, ReadsMtBench) {
  const auto turns =
      ReadTurns(InputOf("q.jsonl", R"({"question_id": 81, "category": "x", "turns": ["a", "b"]}
{"turns": ["c"], "reference": ["d", "e"]})"));
  ASSERT_TRUE(turns) << turns.error().Message();
  ASSERT_EQ(turns->size(), 3u);
  EXPECT_EQ((*turns)[2].text, "c");
  EXPECT_EQ((*turns)[2].role, Role::kUser);
}

TEST(ConversationTest, TellsTextFromJsonByNameThenByContent) {
  const std::string list = R"([{"role": "user", "content": "a"}])";
  EXPECT_EQ(ReadTurns(InputOf("stdin", list))->front().text, "a");
  EXPECT_EQ(ReadTurns(InputOf("a.txt", list))->front().text, list);
  EXPECT_EQ(ReadTurns(InputOf("stdin", "[Chapter 1] It was"))->front().text, "[Chapter 1] It was");
  EXPECT_EQ(ReadTurns(InputOf("stdin", "{ braces }"))->front().text, "{ braces }");
  EXPECT_EQ(ReadTurns(InputOf("stdin", "\xEF\xBB\xBF" + list))->front().text, "a");
  EXPECT_EQ(ReadTurns(InputOf("b.txt", "\xEF\xBB\xBFtext"))->front().text, "text");
}

TEST(ConversationTest, EmptyInputHoldsNoTurn) {
  EXPECT_TRUE(ReadTurns(InputOf("stdin", ""))->empty());
  EXPECT_TRUE(ReadTurns(InputOf("a.json", "[]"))->empty());
  EXPECT_THAT(FaultOf("a.json", " \n"), HasSubstr("a.json, line 1: holds no JSON"));
}

TEST(ConversationTest, FaultsNameFileAndPlace) {
  EXPECT_THAT(FaultOf("a.json", "[\n{\"role\": \"user\",\n\"content\": tru}]"),
              HasSubstr("a.json, line 3"));
  EXPECT_THAT(FaultOf("a.json", "[{\"role\": \"user\", \"content\": \"a\"}"),
              HasSubstr("a.json, line 1"));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user", "content": "a"}, {"role": "king",
    "content": "b"}])"),
              HasSubstr("a.json, record 2: \"role\" is \"king\": known are system"));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user"}])"),
              HasSubstr("record 1: has no \"content\""));
  EXPECT_THAT(FaultOf("a.json", R"([{"content": "x"}])"), HasSubstr("record 1: has no \"role\""));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user", "content": 5}])"),
              HasSubstr("record 1: \"content\" is a number, not a text"));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user", "content": ["x"]}])"),
              HasSubstr("record 1: \"content\" is a list, not a text"));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user", "content": "a"}, "b"])"),
              HasSubstr("record 2: is a string, not an object"));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user", "content": "a", "time": "noon"}])"),
              HasSubstr("record 1: \"time\" is no ISO 8601 time: \"noon\""));
  EXPECT_THAT(FaultOf("a.jsonl", "{\"role\": \"user\", \"content\": \"a\"}\n{\"turns\": \"b\"}"),
              HasSubstr("a.jsonl, line 2: \"turns\" is a string, not a list of texts"));
  EXPECT_THAT(FaultOf("a.jsonl", "{\"turns\": [\"b\", 7]}"),
              HasSubstr("line 1: \"turns\" is a number, not a list of texts"));
  EXPECT_THAT(FaultOf("a.json", "role: user"), HasSubstr("neither a JSON list nor a JSON object"));
}

TEST(ConversationTest, HostileJsonIsAnError) {
  EXPECT_THAT(FaultOf("a.json", std::string(50'000'000, '[')),
              HasSubstr("a.json, record 1: is a list, not an object"));
  EXPECT_THAT(FaultOf("a.json",
                      R"([{"role": "user", "content": "a", "x": )" + std::string(50'000'000, '[')),
              HasSubstr("record 1: is nested more than 64 deep"));
  EXPECT_THAT(FaultOf("a.jsonl", "{\"a\":" + std::string(1000, '{')), HasSubstr("a.jsonl, line 1"));
  EXPECT_THAT(FaultOf("a.json", "[{\"role\": \"user\", \"content\": \"\xFF\"}]"),
              HasSubstr("a.json, line 1"));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user", "content": "a\u0000b"}])"),
              HasSubstr("record 1: holds a NUL"));
  EXPECT_THAT(FaultOf("a.json", R"([{"role": "user", "content": "\ud800"}])"),
              HasSubstr("a.json, line 1"));
  const std::string long_fault = FaultOf("a.json", "[{\"role\": \"" + std::string(1'000'000, 'x'));
  EXPECT_LT(long_fault.size(), 1000u);
}

TEST(ConversationTest, BinaryAndUtf16AreNoText) {
  EXPECT_THAT(FaultOf("a.txt", std::string("ab\nc\0d", 6)),
              HasSubstr("a.txt, line 2: holds a NUL"));
  EXPECT_THAT(FaultOf("a.txt", std::string("\xFF\xFEh\0", 4)), HasSubstr("UTF-16"));
}

TEST(ConversationTest, InvalidUtf8OfATextIsReplacedAndCounted) {
  Result<ConversationReader> reader =
      ConversationReader::Open(InputOf("a.txt", "one\ncaf\xE9\n\xFF"));
  ASSERT_TRUE(reader);
  EXPECT_EQ((**reader->Next()).text, "one\ncaf\uFFFD\n\uFFFD");
  EXPECT_EQ(reader->invalid_utf8(), 2);
  EXPECT_EQ(reader->first_invalid_line(), 2);
}

TEST(ConversationTest, AnEndlessTextIsReadInConstantMemory) {
  int64_t given = 0;
  const Input endless{.name = "stdin", .read = [&given](std::span<char> buffer) -> Result<size_t> {
                        std::ranges::fill(buffer, 'x');
                        given += static_cast<int64_t>(buffer.size());
                        return buffer.size();
                      }};
  Result<ConversationReader> reader = ConversationReader::Open(endless);
  ASSERT_TRUE(reader);
  for (int i = 0; i < 50; ++i) {
    const Result<std::optional<Turn>> turn = reader->Next();
    ASSERT_TRUE(turn && *turn);
    EXPECT_LE((*turn)->text.size(), kTextPieceBytes);
    EXPECT_LE(given - reader->consumed_bytes(), int64_t{4} * int64_t{kTextPieceBytes});
  }
}

TEST(ConversationTest, PiecesEndBetweenParagraphsLinesOrWords) {
  EXPECT_EQ(TextPieceSize("one two three\n\nfour"), 15u);
  EXPECT_EQ(TextPieceSize("a\n\nbbb bbb\nccc ccc"), 11u);
  EXPECT_EQ(TextPieceSize("aaaa bbbb ccc"), 10u);
  EXPECT_EQ(TextPieceSize("aaaaaaa\xC3"), 7u);
  EXPECT_EQ(TextPieceSize("aaaaaaa\xC3\xA9"), 7u);
}

RC_GTEST_PROP(ConversationTest, PiecesOfATextAreTheText, ()) {
  const auto words = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "word ", "a long sentence.\n", "\n\n", "\u00E9t\u00E9 ", "\U0001F600", "x"));
  std::string text;
  while (!words.empty() && text.size() < 150'000) {
    for (const std::string& word : words) text += word;
  }
  const auto turns = ReadTurns(InputOf("a.txt", text, 1000));
  RC_ASSERT(turns.has_value());
  std::string joined;
  for (const Turn& turn : *turns) {
    RC_ASSERT(turn.text.size() <= kTextPieceBytes);
    RC_ASSERT(turn.text.find("\uFFFD") == std::string::npos);  // no character was cut
    joined += turn.text;
  }
  RC_ASSERT(joined == text);
}

}  // namespace
}  // namespace anabranch::cli
