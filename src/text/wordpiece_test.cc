#include "text/wordpiece.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace anabranch {
namespace {

constexpr std::string_view kVocab =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\nable\n,\n!\n中\n文\ne\ni\n##s\ntokyo\n";

std::vector<std::string> Pieces(std::string_view text) {
  static const auto wordpiece = *WordPiece::Create(kVocab);
  std::vector<std::string> names;
  for (size_t begin = 0; begin < kVocab.size();) {
    const size_t end = kVocab.find('\n', begin);
    names.emplace_back(kVocab.substr(begin, end - begin));
    begin = end + 1;
  }
  std::vector<std::string> pieces;
  for (const TokenId id : wordpiece->Encode(text)) {
    pieces.push_back(names.at(static_cast<size_t>(id.value())));
  }
  return pieces;
}

using Words = std::vector<std::string>;

TEST(WordPiece, TakesTheLongestPieceFirst) {
  EXPECT_EQ(Pieces("unaffable able"), (Words{"un", "##aff", "##able", "able"}));
  EXPECT_EQ(Pieces("unx able"), (Words{"[UNK]", "able"}));
}

TEST(WordPiece, LowersStripsAccentsAndCutsAtMarksAndIdeographs) {
  EXPECT_EQ(Pieces("UN,able!"), (Words{"un", ",", "able", "!"}));
  EXPECT_EQ(Pieces("Tōkyō中文"), (Words{"tokyo", "中", "文"}));
  EXPECT_EQ(Pieces("E\u0301 é \u0130"), (Words{"e", "e", "i"}));
}

TEST(WordPiece, ControlAndReplacementCharactersAreDropped) {
  EXPECT_EQ(Pieces("un\u0001\u200Baff\uFFFD\xFF\x0B"
                   "able"),
            (Words{"un", "##aff", "##able"}));
  EXPECT_EQ(Pieces(std::string_view("able\0s", 6)), (Words{"able", "##s"}));
  EXPECT_EQ(Pieces("able\tun\r\nable"), (Words{"able", "un", "able"}));
}

TEST(WordPiece, SpecialTokensInATextAreText) {
  EXPECT_EQ(Pieces("[SEP]"), (Words{"[UNK]", "[UNK]", "[UNK]"}));
}

TEST(WordPiece, AWordOfMoreThan100CharactersIsUnknown) {
  EXPECT_EQ(Pieces("able" + std::string(96, 's')).size(), 97u);
  EXPECT_EQ(Pieces("able" + std::string(97, 's')), (Words{"[UNK]"}));
}

TEST(WordPiece, ForTheModelTextStandsBetweenClsAndSepWithinItsLength) {
  const auto wordpiece = *WordPiece::Create(kVocab);
  const auto ids = [&](std::string_view text, size_t max_len) {
    std::vector<int32_t> values;
    for (const TokenId id : wordpiece->EncodeForModel(text, max_len)) values.push_back(id.value());
    return values;
  };
  EXPECT_EQ(ids("able un", 10), (std::vector<int32_t>{2, 7, 4, 3}));
  EXPECT_EQ(ids("able un", 3), (std::vector<int32_t>{2, 7, 3}));
  EXPECT_EQ(ids("able un", 2), (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(ids("", 10), (std::vector<int32_t>{2, 3}));
}

TEST(WordPiece, AVocabularyWithoutItsSpecialTokensIsRefused) {
  for (const char* vocab : {"", "a\nb\n", "[UNK]\n[CLS]\n"}) {
    const auto wordpiece = WordPiece::Create(vocab);
    ASSERT_FALSE(wordpiece);
    EXPECT_EQ(wordpiece.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_TRUE(WordPiece::Create("[UNK]\r\n[CLS]\r\n[SEP]"));
}

TEST(WordPiece, HugeTextsAreRead) {
  EXPECT_EQ(Pieces(std::string(1 << 20, 'a')), (Words{"[UNK]"}));
  EXPECT_EQ(Pieces(std::string(1 << 20, ' ')), Words{});
  EXPECT_EQ(Pieces(std::string(1 << 20, '\xFF')), Words{});
  EXPECT_EQ(Pieces(std::string(1 << 16, '!')).size(), size_t{1} << 16);
  std::string accents = "e";
  for (int i = 0; i < 1 << 18; ++i) accents += "\u0301";
  EXPECT_EQ(Pieces(accents), (Words{"e"}));
}

RC_GTEST_PROP(WordPiece, AnyBytesBecomeIdsOfTheVocabulary, (const std::string& bytes)) {
  static const auto wordpiece = *WordPiece::Create(kVocab);
  for (const TokenId id : wordpiece->Encode(bytes)) {
    RC_ASSERT(id.value() >= 0 && id.value() < wordpiece->n_vocab());
  }
}

}  // namespace
}  // namespace anabranch
