#include "text/pre_tokenizer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "text/lenient_utf8.h"

namespace anabranch {
namespace {

using Words = std::vector<std::string>;

Words Split(std::string_view name, std::string_view text) {
  const auto pre_tokenizer = PreTokenizer::Create(name);
  Words words;
  for (const std::string_view word : pre_tokenizer->Split(text)) words.emplace_back(word);
  return words;
}

// The expected words are read off the published regular expressions.
TEST(PreTokenizer, Gpt2) {
  EXPECT_EQ(Split("gpt-2", "I'll pay $12,345  now!\n\n  ok"),
            (Words{"I", "'ll", " pay", " $", "12", ",", "345", " ", " now", "!", "\n\n ", " ok"}));
  EXPECT_EQ(Split("gpt-2", "WE'LL é\u3000中٣½ "),
            (Words{"WE", "'", "LL", " é", "\u3000", "中", "٣½", " "}));
}

TEST(PreTokenizer, SmolLmCutsNumbersIntoDigits) {
  EXPECT_EQ(Split("smollm", "a 1234 b٣٤"), (Words{"a", " ", "1", "2", "3", "4", " b", "٣", "٤"}));
}

TEST(PreTokenizer, Llama3) {
  EXPECT_EQ(
      Split("llama-bpe", "I'LL pay 12345\r\n\r\n  \"ok\"?\n x"),
      (Words{"I", "'LL", " pay", " ", "123", "45", "\r\n\r\n", " ", " \"", "ok", "\"?\n", " x"}));
  EXPECT_EQ(Split("llama-bpe", "\tx=(y)"), (Words{"\tx", "=(", "y", ")"}));
}

TEST(PreTokenizer, Qwen2IsLlama3WithSingleDigits) {
  EXPECT_EQ(Split("qwen2", "it'S 123 _a"), (Words{"it", "'S", " ", "1", "2", "3", " _", "a"}));
}

TEST(PreTokenizer, DefaultCutsPunctuationOffAndDigitsInThrees) {
  EXPECT_EQ(Split("default", "a, b+c 12345`"),
            (Words{"a", ",", " b", "+", "c", " ", "123", "45", "`"}));
}

// Letters and numbers of Unicode 15, which PCRE2 10.42 does not know by itself.
TEST(PreTokenizer, NewLettersAreLetters) {
  EXPECT_EQ(Split("gpt-2", "a\U00031350\U0001E4F1!"), (Words{"a\U00031350", "\U0001E4F1", "!"}));
}

RC_GTEST_PROP(PreTokenizer, WordsMakeUpTheText, (const std::string& bytes)) {
  const std::string text = ReadLeniently(bytes);
  for (const char* name : {"smollm", "gpt-2", "llama-bpe", "qwen2", "default"}) {
    std::string joined;
    for (const std::string& word : Split(name, text)) {
      RC_ASSERT(!word.empty());
      joined += word;
    }
    RC_ASSERT(joined == text);
  }
}

}  // namespace
}  // namespace anabranch
