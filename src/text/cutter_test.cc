#include "text/cutter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "text/sentence_scanner.h"

namespace anabranch {
namespace {

// Pieces as words of at most four bytes: a longer word has more pieces, as in WordPiece.
int CountWords(std::string_view text) {
  int pieces = 0, run = 0;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    run = space ? 0 : run + 1;
    pieces += run % 4 == 1 ? 1 : 0;
  }
  return pieces;
}

std::vector<std::string> Texts(std::string_view text, const std::vector<ByteSpan>& spans) {
  std::vector<std::string> texts;
  for (const ByteSpan span : spans) {
    texts.emplace_back(
        text.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin)));
  }
  return texts;
}

std::vector<std::string> Sentences(std::string_view text) {
  return Texts(text, CutSentences(text));
}

std::vector<std::string> Units(std::string_view text, CutOptions options = {}) {
  return Texts(text, CutUnits(text, options, CountWords));
}

// Texts of the parts that a cutter can stumble over, in any order.
rc::Gen<std::string> ArbitraryText() {
  const auto part = rc::gen::element<std::string>(
      "The fox ran. ", "Why? ", "no end ", "Dr. Who came.\n", "\n\n", "3.14 ", "12. ", ")\" ", "!",
      "« Où ça ? » ", "他说：“你好。”然后走了。", "x = y[1];\n", "    indent\n", "| a | b |\n",
      "\r\n", "Supercalifragilisticexpialidocious", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80",
      "\xf0\x9f", "\xff", "e\xcc\x81", "a long line that is wrapped because it is so long\nhere ",
      "\"Who?\" she said. ", "It ends. 77 88 99 ", "I know, I know, ", "\t", " ");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(part),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const std::string& p : parts) text += p;
                        return text;
                      });
}

TEST(CutSentences, FindsWhatAReaderWouldCallASentence) {
  EXPECT_EQ(Sentences("One fox. Two foxes! Three?"),
            (std::vector<std::string>{"One fox. ", "Two foxes! ", "Three?"}));
  EXPECT_EQ(Sentences("Pi is 3.14 or so. Yes."),
            (std::vector<std::string>{"Pi is 3.14 or so. ", "Yes."}));
  EXPECT_EQ(Sentences("他走了。她来了。"), (std::vector<std::string>{"他走了。", "她来了。"}));
}

TEST(CutSentences, TitlesAndInitialsAndQuotationsDoNotEndOne) {
  EXPECT_EQ(Sentences("Dr. Who met J. Smith. Then he left."),
            (std::vector<std::string>{"Dr. Who met J. Smith. ", "Then he left."}));
  EXPECT_EQ(Sentences("\"Who?\" she said. \"Me.\" He left."),
            (std::vector<std::string>{"\"Who?\" she said. ", "\"Me.\" ", "He left."}));
}

TEST(CutSentences, ABlankLineEndsOneAndAWrappedLineDoesNot) {
  EXPECT_EQ(Sentences("A title\n\nthe text"),
            (std::vector<std::string>{"A title\n\n", "the text"}));
  EXPECT_EQ(Sentences("It was the best of times and it was the worst of\nTimes, they say."),
            (std::vector<std::string>{
                "It was the best of times and it was the worst of\nTimes, they say."}));
  EXPECT_EQ(Sentences("Roses are red\nViolets are blue"),
            (std::vector<std::string>{"Roses are red\n", "Violets are blue"}));
}

RC_GTEST_PROP(CutSentences, CoverTheTextWithoutAGap, ()) {
  const std::string text = *ArbitraryText();
  int64_t at = 0;
  for (const ByteSpan span : CutSentences(text)) {
    RC_ASSERT(span.begin == at);
    RC_ASSERT(span.end > span.begin);
    at = span.end;
  }
  RC_ASSERT(at == static_cast<int64_t>(text.size()));
}

TEST(CutUnits, ShortSentencesJoinANeighbour) {
  EXPECT_EQ(Units("Yes. No. It was a very long day at the lake. Oh."),
            (std::vector<std::string>{"Yes. No. It was a very long day at the lake. Oh."}));
}

TEST(CutUnits, AQuestionStandsAlone) {
  EXPECT_EQ(Units("The code of the door is 4711 now. What is it? The sky is blue over the sea."),
            (std::vector<std::string>{"The code of the door is 4711 now.", "What is it?",
                                      "The sky is blue over the sea."}));
}

TEST(CutUnits, LongSentencesAreCutAtClausesThenWordsThenGraphemes) {
  const CutOptions small = {.min_pieces = 2, .max_pieces = 6};
  EXPECT_EQ(Units("one two thr fou, fiv six sev", small),
            (std::vector<std::string>{"one two thr fou,", "fiv six sev"}));
  EXPECT_EQ(Units("one two thr fou fiv six sev eig", small),
            (std::vector<std::string>{"one two thr fou fiv six", "sev eig"}));
  const std::string accented = "e\xcc\x81";  // three bytes, one grapheme
  std::string word;
  for (int i = 0; i < 30; ++i) word += accented;
  for (const std::string& unit : Units(word, small)) {
    EXPECT_EQ(unit.size() % accented.size(), 0u);
    EXPECT_LE(CountWords(unit), 6);
  }
}

TEST(CutUnits, CodeAndTablesAreCutAtLines) {
  std::string table;
  for (int i = 0; i < 40; ++i) table += "| row " + std::to_string(i) + " | value |\n";
  for (const std::string& unit : Units(table)) {
    EXPECT_EQ(unit.front(), '|');
    EXPECT_EQ(unit.back(), '|');
  }
}

TEST(CutUnits, ChineseIsCutIntoUnitsOfItsSize) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少";
  const std::vector<std::string> units = Units(text);
  EXPECT_GT(units.size(), 5u);
  std::string joined;
  for (const std::string& unit : units) {
    EXPECT_EQ(unit.size() % 3, 0u);
    joined += unit;
  }
  EXPECT_EQ(joined, text);
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

RC_GTEST_PROP(CutUnits, CoverAllButWhiteSpaceAndKeepTheirSize, ()) {
  const std::string text = *ArbitraryText();
  const CutOptions options = {.min_pieces = *rc::gen::inRange(1, 9),
                              .max_pieces = *rc::gen::inRange(16, 65)};
  int64_t at = 0;
  for (const ByteSpan span : CutUnits(text, options, CountWords)) {
    RC_ASSERT(span.begin >= at);
    RC_ASSERT(span.end > span.begin);
    RC_ASSERT(IsBlank(std::string_view(text).substr(static_cast<size_t>(at),
                                                    static_cast<size_t>(span.begin - at))));
    const std::string unit =
        text.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin));
    RC_ASSERT(CountWords(unit) <= options.max_pieces);
    at = span.end;
  }
  RC_ASSERT(IsBlank(std::string_view(text).substr(static_cast<size_t>(at))));
}

RC_GTEST_PROP(CutUnits, AnyBytesAreCut, (const std::string& text)) {
  int64_t at = 0;
  for (const ByteSpan span : CutUnits(text, {}, CountWords)) {
    RC_ASSERT(span.begin >= at);
    RC_ASSERT(span.end > span.begin);
    at = span.end;
  }
  RC_ASSERT(at <= static_cast<int64_t>(text.size()));
}

RC_GTEST_PROP(CutSettledUnits, NoLaterTextChangesThem, ()) {
  const std::string text = *ArbitraryText();
  const CutOptions options = {.min_pieces = 4, .max_pieces = 24};
  const std::vector<ByteSpan> whole = CutUnits(text, options, CountWords);
  for (size_t size = 0; size <= text.size(); ++size) {
    const std::string_view prefix = std::string_view(text).substr(0, size);
    std::vector<ByteSpan> units = CutSettledUnits(prefix, options, CountWords);
    const int64_t rest = units.empty() ? 0 : units.back().end;
    for (const ByteSpan unit :
         CutUnits(std::string_view(text).substr(static_cast<size_t>(rest)), options, CountWords)) {
      units.push_back({rest + unit.begin, rest + unit.end});
    }
    RC_ASSERT(units == whole);
  }
}

TEST(CutSettledUnits, WhatIsPendingIsBounded) {
  for (const std::string part : {"12 34 ", "word ", "7;", "\xe6\x98\xa5", "Mr. X. "}) {
    std::string text;
    while (text.size() < 40000) text += part;
    const std::vector<ByteSpan> units = CutSettledUnits(text, {}, CountWords);
    ASSERT_FALSE(units.empty()) << part;
    EXPECT_GT(units.back().end, static_cast<int64_t>(text.size()) - 10000) << part;
  }
}

TEST(EndsSentence, KnowsTheEndsOfManyScripts) {
  EXPECT_TRUE(EndsSentence("It is here."));
  EXPECT_TRUE(EndsSentence("\"Who?\") \n"));
  EXPECT_TRUE(EndsSentence("他在这里。"));
  EXPECT_TRUE(EndsSentence("यह यहाँ है।"));
  EXPECT_FALSE(EndsSentence("and so on …"));
  EXPECT_FALSE(EndsSentence("The key is in"));
  EXPECT_FALSE(EndsSentence("The key, that is,"));
  EXPECT_FALSE(EndsSentence("a.\xff"));
  EXPECT_FALSE(EndsSentence(" \n"));
  EXPECT_FALSE(EndsSentence(""));
}

TEST(IsQuestionOnly, KnowsQuestionsOfManyScripts) {
  EXPECT_TRUE(IsQuestionOnly("Who is it?"));
  EXPECT_TRUE(IsQuestionOnly("Who is it? Where does Dr. Smith live?!"));
  EXPECT_TRUE(IsQuestionOnly(" \"Who?\" "));
  EXPECT_TRUE(IsQuestionOnly("他是谁？"));
  EXPECT_TRUE(IsQuestionOnly("من هو؟"));
  EXPECT_FALSE(IsQuestionOnly("I am. Who is it?"));
  EXPECT_FALSE(IsQuestionOnly("Tell me"));
  EXPECT_FALSE(IsQuestionOnly(""));
  EXPECT_FALSE(IsQuestionOnly(" \n"));
}

}  // namespace
}  // namespace anabranch
