// The real models' tokenizers against llama.cpp, id for id (tools/golden/tokenizer.py).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/tokenizer_spec.h"
#include "io/gguf.h"
#include "support/golden_tokens.h"
#include "text/tokenizer.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

using testing::Escaped;
using testing::TokenRows;

const std::string kSmolLm = ANABRANCH_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf";
const std::string kGemma = ANABRANCH_SOURCE_DIR "/models/gemma-3-270m-q4_k_m.gguf";
const std::string kGolden = ANABRANCH_SOURCE_DIR "/tests/golden/text";

TokenizerSpec SpecOf(const std::string& path) {
  const auto file = GgufFile::Open(path);
  EXPECT_TRUE(file) << file.error().Message();
  auto spec = ReadTokenizerSpec(*file);
  EXPECT_TRUE(spec) << spec.error().Message();
  return *std::move(spec);
}

std::unique_ptr<Tokenizer> Create(TokenizerSpec spec) {
  auto tokenizer = CreateTokenizer(std::move(spec));
  EXPECT_TRUE(tokenizer) << tokenizer.error().Message();
  return *std::move(tokenizer);
}

enum class Special { kIgnored, kParsed };

void ExpectEqual(const Tokenizer& tokenizer, Special special, const TokenRows& golden) {
  const std::vector<std::string> strings = testing::ReadGoldenStrings(kGolden);
  ASSERT_GE(golden.size(), 800u);
  ASSERT_LE(golden.size(), strings.size());
  for (size_t i = 0; i < golden.size(); ++i) {
    const auto ids = special == Special::kParsed ? tokenizer.EncodeTemplate(strings[i])
                                                 : tokenizer.Encode(strings[i]);
    std::vector<int32_t> values;
    for (const TokenId id : ids) values.push_back(id.value());
    EXPECT_EQ(values, golden[i]) << "line " << i + 1 << ": " << Escaped(strings[i]);
  }
}

TEST(TokenizerModel, SmolLm2EqualsLlamaCpp) {
  const auto tokenizer = Create(SpecOf(kSmolLm));
  const TokenRows golden = testing::ReadGoldenIds(kGolden, "smollm");
  ASSERT_EQ(golden.size(), testing::ReadGoldenStrings(kGolden).size());
  ExpectEqual(*tokenizer, Special::kIgnored, golden);
  ExpectEqual(*tokenizer, Special::kParsed,
              testing::ReadGoldenIds(kGolden, "smollm-special", golden));
}

TEST(TokenizerModel, EachPreTokenizerEqualsLlamaCpp) {
  TokenizerSpec spec = SpecOf(kSmolLm);
  const TokenRows base = testing::ReadGoldenIds(kGolden, "smollm");
  for (const char* pre : {"gpt-2", "llama-bpe", "qwen2", "default"}) {
    SCOPED_TRACE(pre);
    spec.pre = pre;
    ExpectEqual(*Create(spec), Special::kIgnored, testing::ReadGoldenIds(kGolden, pre, base));
  }
}

TEST(TokenizerModel, Gemma3EqualsLlamaCpp) {
  const auto tokenizer = Create(SpecOf(kGemma));
  const TokenRows golden = testing::ReadGoldenIds(kGolden, "gemma");
  ASSERT_EQ(golden.size(), testing::ReadGoldenStrings(kGolden).size());
  ExpectEqual(*tokenizer, Special::kIgnored, golden);
  ExpectEqual(*tokenizer, Special::kParsed,
              testing::ReadGoldenIds(kGolden, "gemma-special", golden));
}

TEST(TokenizerModel, ASpacePrefixStandsWhereLlamaCppPutsIt) {
  TokenizerSpec spec = SpecOf(kGemma);
  spec.add_space_prefix = true;
  ExpectEqual(*Create(spec), Special::kIgnored,
              testing::ReadGoldenIds(kGolden, "gemma-space-prefix"));
}

// What the vocabularies keep, they keep exactly. SmolLM2 has no token for 21 of the 256 bytes, and
// gemma reads U+2581 as a space.
TEST(TokenizerModel, WellFormedTextComesBackAsItWas) {
  const std::string no_token("\x04\x06\x13\x14\x16\x1D");
  for (const std::string& path : {kSmolLm, kGemma}) {
    const auto tokenizer = Create(SpecOf(path));
    for (const std::string& text : testing::ReadGoldenStrings(kGolden)) {
      if (!IsValidUtf8(text)) continue;
      if (path == kSmolLm && text.find_first_of(no_token + "\xF1\xF2") != std::string::npos)
        continue;
      if (path == kGemma && text.find("\u2581") != std::string::npos) continue;
      EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text) << Escaped(text);
    }
  }
}

TEST(TokenizerModel, UsersTextNeverBecomesAControlToken) {
  for (const std::string& path : {kSmolLm, kGemma}) {
    const auto tokenizer = Create(SpecOf(path));
    for (int32_t i = 0; i < tokenizer->n_vocab(); ++i) {
      const TokenId token(i);
      if (!tokenizer->TokenBytes(token).empty()) continue;  // no control token
      for (const TokenId id : tokenizer->Encode(tokenizer->TokenText(token))) {
        EXPECT_NE(id, token) << tokenizer->TokenText(token);
      }
    }
  }
}

TEST(TokenizerModel, TheMetadataNamesTheEndOfATurn) {
  const auto smollm = Create(SpecOf(kSmolLm)), gemma = Create(SpecOf(kGemma));
  EXPECT_EQ(smollm->bos(), TokenId(1));
  EXPECT_EQ(smollm->eos(), TokenId(2));
  EXPECT_FALSE(smollm->add_bos());
  EXPECT_TRUE(smollm->IsEndOfTurn(TokenId(0)));  // <|endoftext|>
  EXPECT_FALSE(smollm->IsEndOfTurn(TokenId(1)));
  EXPECT_EQ(smollm->FindSpecial("<|im_end|>"), TokenId(2));
  EXPECT_EQ(gemma->bos(), TokenId(2));
  EXPECT_TRUE(gemma->add_bos());
  EXPECT_TRUE(gemma->IsEndOfTurn(*gemma->FindSpecial("<end_of_turn>")));
}

}  // namespace
}  // namespace anabranch
