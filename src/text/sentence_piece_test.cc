#include "text/sentence_piece.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "text/test_vocabulary.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

using testing::AddToken;
using testing::SentencePieceSpec;
using testing::Spellings;
using Words = std::vector<std::string>;

std::unique_ptr<Tokenizer> Create(const TokenizerSpec& spec) { return *CreateTokenizer(spec); }

TokenizerSpec WithoutPrefix(const Words& pieces) {
  TokenizerSpec spec = SentencePieceSpec(pieces);
  spec.add_space_prefix = false;
  return spec;
}

Words Encoded(const Tokenizer& tokenizer, std::string_view text) {
  return Spellings(tokenizer, tokenizer.Encode(text));
}

TEST(SentencePiece, MergesIntoTheBestScoreFirst) {
  const auto tokenizer = Create(SentencePieceSpec({"lo", "▁lo", "low", "er", "▁", "l", "o", "w"}));
  EXPECT_EQ(Encoded(*tokenizer, "low er"), (Words{"▁lo", "w", "▁", "er"}));
}

TEST(SentencePiece, WhatHasNoPieceBecomesItsBytes) {
  const auto tokenizer = Create(WithoutPrefix({"a"}));
  EXPECT_EQ(Encoded(*tokenizer, "aé\xFF"), (Words{"a", "<0xC3>", "<0xA9>", "<0xFF>"}));
}

// The definition: of all neighbours that make a piece, the best scored ones, the leftmost first.
Words MergeSlowly(const Words& pieces, std::string_view word) {
  Words parts;
  for (const char c : word) parts.emplace_back(1, c);
  while (true) {
    size_t best_rank = pieces.size(), best = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = std::find(pieces.begin(), pieces.end(), parts[i] + parts[i + 1]);
      const auto rank = static_cast<size_t>(found - pieces.begin());
      if (rank < best_rank) best_rank = rank, best = i;
    }
    if (best_rank == pieces.size()) return parts;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

RC_GTEST_PROP(SentencePiece, EqualsTheSlowDefinition, ()) {
  const auto letters = rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c'));
  Words pieces = {"a", "b", "c"};
  for (const std::string& piece : *rc::gen::container<Words>(letters)) {
    const std::string short_piece = piece.substr(0, 5);
    if (piece.empty() || std::find(pieces.begin(), pieces.end(), short_piece) != pieces.end()) {
      continue;
    }
    pieces.push_back(short_piece);
  }
  const std::string word = *letters;
  RC_ASSERT(Encoded(*Create(WithoutPrefix(pieces)), word) == MergeSlowly(pieces, word));
}

// But for U+2581 itself, and for a space that a truncated character swallows: both come back as
// the other, as in llama.cpp.
RC_GTEST_PROP(SentencePiece, AnyBytesComeBackAsTheyWere, (std::string bytes)) {
  static const auto spaced = Create(SentencePieceSpec({"ab", "▁a", "▁▁", "a", "b", "▁", "é"}));
  static const auto plain = Create(WithoutPrefix({"ab", "▁a", "▁▁", "a", "b", "▁", "é"}));
  if (!IsValidUtf8(bytes)) std::replace(bytes.begin(), bytes.end(), ' ', 'a');
  RC_ASSERT(spaced->Decode(spaced->Encode(bytes)) == bytes);
  RC_ASSERT(plain->Decode(plain->Encode(bytes)) == bytes);
}

TEST(SentencePiece, ASpaceIsPutFirstAndBehindSpecialTokens) {
  TokenizerSpec spec = SentencePieceSpec({"▁a", "a", "▁", "b"});
  AddToken(&spec, "\n\n", TokenType::kUserDefined);
  const auto tokenizer = Create(spec);
  EXPECT_EQ(Encoded(*tokenizer, "a"), (Words{"▁a"}));
  EXPECT_EQ(Encoded(*tokenizer, " a"), (Words{"▁", "▁a"}));
  EXPECT_EQ(Encoded(*tokenizer, "a\n\na"), (Words{"▁a", "\n\n", "▁a"}));
  EXPECT_EQ(Encoded(*tokenizer, ""), Words{});
}

// As if the whole were one text: "<s>[▁]b[▁]a[▁]b</s>".
TEST(SentencePiece, TurnsAreWrittenAsIfTheyWereOneText) {
  const auto tokenizer = Create(SentencePieceSpec({"▁a", "▁b", "a", "b", "▁", "\n"}));
  const auto spell = [&](const std::vector<TokenId>& ids) { return Spellings(*tokenizer, ids); };
  EXPECT_EQ(spell(tokenizer->EncodeTemplate("<s>b ")), (Words{"<s>", "▁b"}));
  EXPECT_EQ(spell(tokenizer->EncodeAfter("<s>b ", "a")), (Words{"▁a"}));
  EXPECT_EQ(spell(tokenizer->EncodeTemplate(" b</s>")), (Words{"▁b", "</s>"}));
  EXPECT_EQ(spell(tokenizer->EncodeAfter("<s>b\n", "a")), (Words{"a"}));
  EXPECT_EQ(spell(tokenizer->EncodeAfter("<s>", "a")), (Words{"▁a"}));
  EXPECT_EQ(spell(tokenizer->EncodeAfter("", "a")), (Words{"▁a"}));
  EXPECT_EQ(spell(tokenizer->EncodeTemplate("\nb")), (Words{"\n", "b"}));
}

TEST(SentencePiece, UsersTextNeverBecomesAControlToken) {
  const auto tokenizer = Create(WithoutPrefix({"<s", "</", "s>", "<", "s", ">", "/"}));
  EXPECT_EQ(Encoded(*tokenizer, "<s></s>"), (Words{"<s", ">", "</", "s>"}));
}

TEST(SentencePiece, HugeTextsTakeNoQuadraticTime) {
  const auto tokenizer = Create(WithoutPrefix({"aa", "aaaa", "▁▁", "a", "▁"}));
  const auto start = std::chrono::steady_clock::now();
  for (const char c : {'a', ' ', '\n', '\xFF', '\0'}) {
    EXPECT_GE(tokenizer->Encode(std::string(1 << 20, c)).size(), size_t{1} << 17);
  }
  // Seconds where time is linear; hours where it is not.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(5));
}

TEST(SentencePiece, WithoutScoresOrByteTokensItIsRefused) {
  TokenizerSpec spec = SentencePieceSpec({"a"});
  spec.scores.pop_back();
  EXPECT_FALSE(CreateTokenizer(spec));
  spec.scores.push_back(std::nanf(""));
  EXPECT_FALSE(CreateTokenizer(spec));

  spec = SentencePieceSpec({"a"});
  spec.tokens[3 + 0x41] = "no byte";
  EXPECT_TRUE(CreateTokenizer(spec));  // the unknown token stands for it
  spec.unk = std::nullopt;
  EXPECT_FALSE(CreateTokenizer(spec));
}

}  // namespace
}  // namespace anabranch
