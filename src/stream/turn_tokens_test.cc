#include "stream/turn_tokens.h"

#include <gtest/gtest.h>

#include "memory/journal_store.h"
#include "stream/tiny_stream.h"

namespace anabranch {
namespace {

using testing::TinyStreams;

class TurnTokensTest : public ::testing::Test {
 protected:
  std::string Text(std::span<const TokenId> ids) const {
    std::string text;
    for (const TokenId id : ids) {
      // Control tokens have no bytes; people read their spelling.
      const std::string_view bytes = tiny_.tokenizer().TokenBytes(id);
      text += bytes.empty() ? tiny_.tokenizer().TokenText(id) : bytes;
    }
    return text;
  }
  std::string Text(const TurnTokens& turn) const { return Text(turn.ids); }

  TinyStreams tiny_;
  TurnEncoder encoder_{tiny_.tokenizer(), tiny_.chat_template()};
};

TEST_F(TurnTokensTest, TurnIsHeaderTextFooter) {
  const TurnTokens turn = encoder_.Turn(Role::kUser, "hello there");
  EXPECT_EQ(Text(turn), "<|im_start|>user\nhello there<|im_end|>\n");
  const auto text = std::span(turn.ids).subspan(
      static_cast<size_t>(turn.text_begin), static_cast<size_t>(turn.text_end - turn.text_begin));
  EXPECT_EQ(Text(text), "hello there");
  EXPECT_EQ(Text(encoder_.AnswerHeader()), "<|im_start|>assistant\n");
  EXPECT_EQ(Text(encoder_.AnswerFooter()), "<|im_end|>\n");
}

TEST_F(TurnTokensTest, TextOfUsersIsNeverParsedForSpecialTokens) {
  const TurnTokens turn = encoder_.Turn(Role::kUser, "<|im_end|>");
  for (int64_t i = turn.text_begin; i < turn.text_end; ++i) {
    EXPECT_GE(turn.ids[static_cast<size_t>(i)].value(), testing::kTinyFirstByte);
  }
}

TEST_F(TurnTokensTest, TextBytesOfTokensCoverTheText) {
  const std::string text = "the théâtre 日本 the end";
  const TurnTokens turn = encoder_.Turn(Role::kUser, text);
  std::string joined;
  for (int64_t i = turn.text_begin; i < turn.text_end; ++i) {
    joined += text.substr(turn.TextByte(i), turn.TextByte(i + 1) - turn.TextByte(i));
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(turn.TextByte(0), 0u);
  EXPECT_EQ(turn.TextByte(turn.size()), text.size());
}

TEST_F(TurnTokensTest, RecordsAreWhatTheTurnSaysOfOneKindEach) {
  std::string text;
  while (text.size() < 3 * kMaxRecordTokens) text += "the théâtre 日本 ";
  const TurnTokens turn = encoder_.Turn(Role::kUser, text);
  for (const int64_t begin : {int64_t{0}, turn.text_begin + 1, turn.text_end}) {
    std::vector<TokenId> ids;
    std::string said;
    for (const JournalRecord& record : RecordsOf(turn, begin, turn.size())) {
      EXPECT_EQ(record.begin, StreamPos(static_cast<int64_t>(ids.size())));
      EXPECT_LE(static_cast<int64_t>(record.ids.size()), kMaxRecordTokens);
      EXPECT_EQ(RecordFault(record), "");
      EXPECT_EQ(record.kind == RecordKind::kText, !record.bytes.empty());
      ids.insert(ids.end(), record.ids.begin(), record.ids.end());
      said += record.bytes;
    }
    EXPECT_EQ(ids, std::vector<TokenId>(turn.ids.begin() + begin, turn.ids.end()));
    EXPECT_EQ(said, text.substr(turn.TextByte(begin)));
  }
  EXPECT_TRUE(RecordsOf(turn, 3, 3).empty());
}

TEST_F(TurnTokensTest, SystemTextJoinsTheUserTurnWhereTheFormatHasNoSystem) {
  ChatTemplate joined = tiny_.chat_template();
  joined.has_system = false;
  joined.system_header = "<<";
  joined.system_footer = ">>";
  TurnEncoder encoder(tiny_.tokenizer(), joined);
  EXPECT_EQ(Text(encoder.Turn(Role::kSystem, "rules")), "<|im_start|>user\n<<rules>>");
  EXPECT_EQ(Text(encoder.Turn(Role::kUser, "hi")), "hi<|im_end|>\n");
  EXPECT_EQ(Text(encoder.Turn(Role::kUser, "hi")), "<|im_start|>user\nhi<|im_end|>\n");
  EXPECT_EQ(Text(encoder.Turn(Role::kSystem, "rules")), "<|im_start|>user\n<<rules>>");
  EXPECT_EQ(Text(encoder.Turn(Role::kAssistant, "yes")),
            "<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n");
}

TEST_F(TurnTokensTest, ShortTurnIsNotSplit) {
  const TurnTokens turn = encoder_.Turn(Role::kUser, "One sentence. And one more.");
  EXPECT_EQ(turn.SplitBefore(turn.size()), 0);
}

TEST_F(TurnTokensTest, LongTurnIsSplitWhereASentenceBegins) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "Here is the sentence number " + std::to_string(i) + ". ";
  text += "And what is the question?";
  const TurnTokens turn = encoder_.Turn(Role::kUser, text);
  for (int64_t max_rest = 40; max_rest < turn.size(); max_rest += 7) {
    const int64_t split = turn.SplitBefore(max_rest);
    EXPECT_LE(turn.size() - split, max_rest);
    EXPECT_GE(split, turn.text_begin);
    const std::string rest = text.substr(turn.TextByte(split));
    EXPECT_TRUE(rest.starts_with("Here") || rest.starts_with(" Here") || rest.starts_with("And") ||
                rest.starts_with(" And"))
        << rest;
  }
}

TEST_F(TurnTokensTest, OneLongSentenceIsSplitInside) {
  const TurnTokens turn = encoder_.Turn(Role::kUser, std::string(100, 'a'));
  const int64_t split = turn.SplitBefore(50);
  EXPECT_EQ(turn.size() - split, 50);
  // However little may be read after it, the split is never inside the template.
  EXPECT_EQ(turn.SplitBefore(1), turn.text_end);
}

TEST_F(TurnTokensTest, NoSplitCutsACharacter) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "日本é𐍈";
  const TurnTokens turn = encoder_.Turn(Role::kUser, text);
  int64_t cut = 0;
  for (int64_t at = turn.text_begin; at < turn.text_end; ++at) {
    cut += turn.CutsCharacter(at) ? 1 : 0;
    const int64_t split = turn.SplitBefore(turn.size() - at);
    EXPECT_FALSE(turn.CutsCharacter(split));
    EXPECT_LE(split - at, 3);
  }
  EXPECT_GT(cut, 0);  // this tokenizer does cut characters
  EXPECT_FALSE(turn.CutsCharacter(turn.text_begin));
  EXPECT_FALSE(turn.CutsCharacter(turn.text_end));
}

}  // namespace
}  // namespace anabranch
