#include "text/byte_level_bpe.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "text/test_vocabulary.h"

namespace anabranch {
namespace {

using testing::ByteLevelSpec;
using testing::Spellings;
using Words = std::vector<std::string>;

std::unique_ptr<Tokenizer> Create(const TokenizerSpec& spec) { return *CreateTokenizer(spec); }

Words Encoded(const Tokenizer& tokenizer, std::string_view text) {
  return Spellings(tokenizer, tokenizer.Encode(text));
}

TEST(ByteLevelBpe, MergesTheBestPairFirstWithinWords) {
  const auto tokenizer = Create(ByteLevelSpec({"l o", "Ġ lo", "lo w", "e r"}));
  EXPECT_EQ(Encoded(*tokenizer, "low lower"), (Words{"low", "Ġlo", "w", "er"}));
  EXPECT_EQ(Encoded(*tokenizer, "l ow"), (Words{"l", "Ġ", "o", "w"}));
}

// The definition: of all neighbours that can merge, the best ranked ones, the leftmost first.
Words MergeSlowly(const TokenizerSpec& spec, std::string_view word) {
  Words parts;
  for (const char c : word) parts.emplace_back(1, c);
  while (true) {
    size_t best_rank = spec.merges.size(), best = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found =
          std::find(spec.merges.begin(), spec.merges.end(), parts[i] + " " + parts[i + 1]);
      const auto rank = static_cast<size_t>(found - spec.merges.begin());
      if (rank < best_rank) best_rank = rank, best = i;
    }
    if (best_rank == spec.merges.size()) return parts;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

RC_GTEST_PROP(ByteLevelBpe, EqualsTheSlowDefinition, ()) {
  Words tokens = {"a", "b", "c"}, merges;
  const int n = *rc::gen::inRange(0, 12);
  for (int i = 0; i < n; ++i) {
    const std::string left = *rc::gen::elementOf(tokens), right = *rc::gen::elementOf(tokens);
    const std::string merge = left + " " + right;
    if (std::find(merges.begin(), merges.end(), merge) != merges.end()) continue;
    merges.push_back(merge);
    tokens.push_back(left + right);
  }
  const TokenizerSpec spec = ByteLevelSpec(merges);
  const auto word = *rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c'));
  RC_ASSERT(Encoded(*Create(spec), word) == MergeSlowly(spec, word));
}

RC_GTEST_PROP(ByteLevelBpe, WellFormedTextComesBackAsItWas, ()) {
  static const char* const pieces[] = {"a",  "é", "中", "😀", " ",  "  ",     "\n", "\t",
                                       "12", "'", "s",  "!", "\r", "\u0301", "٣",  "<|x|>"};
  static const auto tokenizer = Create(ByteLevelSpec({"Ġ Ġ", "a Ġ", "Ã ©"}, "llama-bpe"));
  std::string text;
  for (const size_t i : *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, 16))) {
    text += pieces[i];
  }
  RC_ASSERT(tokenizer->Decode(tokenizer->Encode(text)) == text);
}

// As llama.cpp reads them, where it does (the golden set has more): see ReadLeniently.
TEST(ByteLevelBpe, BytesThatAreNotUtf8AreReadAsLlamaCppReadsThem) {
  const auto tokenizer = Create(ByteLevelSpec({}));
  const auto reread = [&](std::string_view bytes) {
    return tokenizer->Decode(tokenizer->Encode(bytes));
  };
  EXPECT_EQ(reread("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(reread("\xE2\x82"), "\uFFFD\uFFFD");      // each byte of a truncated form
  EXPECT_EQ(reread("\xC1\xA1"), "a");                 // an overlong form
  EXPECT_EQ(reread("\xED\xA0\x80"), "\xED\xA0\x80");  // an encoded surrogate
  EXPECT_EQ(reread("\xF5\x80\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
}

TEST(ByteLevelBpe, AByteWithoutATokenIsLeftOut) {
  TokenizerSpec spec = ByteLevelSpec({"a b"});
  spec.tokens[1] = "unused";  // of byte 1
  const auto tokenizer = Create(spec);
  EXPECT_EQ(Encoded(*tokenizer,
                    "ab\x01"
                    "ab"),
            (Words{"ab", "ab"}));
}

TEST(ByteLevelBpe, Llama3TakesAWordThatIsATokenAsAWhole) {
  TokenizerSpec spec = ByteLevelSpec({"a b"}, "llama-bpe");
  testing::AddToken(&spec, "Ġabc", TokenType::kNormal);
  EXPECT_EQ(Encoded(*Create(spec), "abc abc"), (Words{"ab", "c", "Ġabc"}));
  spec.pre = "gpt-2";
  EXPECT_EQ(Encoded(*Create(spec), "abc abc"), (Words{"ab", "c", "Ġ", "ab", "c"}));
}

TEST(ByteLevelBpe, HugeWordsTakeNoQuadraticTime) {
  const auto tokenizer = Create(ByteLevelSpec({"a a", "aa aa", "aaaa aaaa", "Ġ Ġ", "ĠĠ ĠĠ"}));
  std::string marks = "e";
  for (int i = 0; i < 1 << 19; ++i) marks += "\u0301";
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& text :
       {std::string(1 << 20, 'a'), std::string(1 << 20, ' '), std::string(1 << 20, '\n'),
        std::string(1 << 20, '\xFF'), std::string(1 << 20, '7'), std::string(1 << 20, ' ') + "x",
        marks}) {
    EXPECT_GE(tokenizer->Encode(text).size(), size_t{1} << 17);
  }
  // Seconds where time is linear (ten with sanitizers); hours where it is not.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(5));
}

TEST(ByteLevelBpe, MergesThatTheVocabularyLacksAreRefused) {
  for (const char* merge : {"a z!", "zz a", "ab", "", "a b"}) {
    TokenizerSpec spec = ByteLevelSpec({});
    spec.merges = {merge};
    const auto tokenizer = CreateTokenizer(spec);
    ASSERT_FALSE(tokenizer) << merge;
    EXPECT_NE(tokenizer.error().Message().find("merge 0"), std::string::npos);
  }
}

TEST(ByteLevelBpe, AMergeIntoAControlTokenIsRefused) {
  TokenizerSpec spec = ByteLevelSpec({"a b"});
  spec.types.back() = static_cast<int32_t>(TokenType::kControl);
  EXPECT_FALSE(CreateTokenizer(spec));
}

TEST(ByteLevelBpe, AnUnknownPreTokenizerGetsTheKnownOnes) {
  const auto tokenizer = CreateTokenizer(ByteLevelSpec({}, "tekken"));
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(tokenizer.error().Message().find("smollm, gpt-2, llama-bpe, qwen2, default"),
            std::string::npos);
}

}  // namespace
}  // namespace anabranch
