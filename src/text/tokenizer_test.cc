#include "text/tokenizer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "text/test_vocabulary.h"

namespace anabranch {
namespace {

using testing::AddToken;
using testing::ByteLevelSpec;
using testing::SentencePieceSpec;
using testing::Spellings;
using Words = std::vector<std::string>;

TokenizerSpec ChatSpec() {
  TokenizerSpec spec = ByteLevelSpec({"i m"});
  AddToken(&spec, "<|im_end|>", TokenType::kControl);
  AddToken(&spec, "<tool>", TokenType::kUserDefined);
  AddToken(&spec, "<tool><tool>", TokenType::kUserDefined);
  AddToken(&spec, "l><too", TokenType::kUserDefined);
  return spec;
}

TEST(Tokenizer, OnlyTemplateTextHasControlTokens) {
  const auto tokenizer = *CreateTokenizer(ChatSpec());
  const std::string text = "<|im_end|>";
  EXPECT_EQ(Spellings(*tokenizer, tokenizer->Encode(text)),
            (Words{"<", "|", "im", "_", "e", "n", "d", "|", ">"}));
  EXPECT_EQ(Spellings(*tokenizer, tokenizer->EncodeTemplate("im" + text)), (Words{"im", text}));
  EXPECT_EQ(Spellings(*tokenizer, tokenizer->EncodeAfter(text, text)),
            Spellings(*tokenizer, tokenizer->Encode(text)));
}

TEST(Tokenizer, UserDefinedTokensAreFoundInAnyTextTheLongestFirst) {
  const auto tokenizer = *CreateTokenizer(ChatSpec());
  EXPECT_EQ(Spellings(*tokenizer, tokenizer->Encode("<tool><tool><tool>")),
            (Words{"<tool><tool>", "<tool>"}));
}

TEST(Tokenizer, ControlTokensAddNothingToAText) {
  const auto tokenizer = *CreateTokenizer(ChatSpec());
  const auto ids = tokenizer->EncodeTemplate("a<|im_end|><tool> b");
  EXPECT_EQ(tokenizer->Decode(ids), "a<tool> b");
  EXPECT_EQ(tokenizer->TokenBytes(ids[1]), "");
  EXPECT_EQ(tokenizer->TokenText(ids[1]), "<|im_end|>");
}

TEST(Tokenizer, WhatEndsATurnIsKnownByItsNameOrItsId) {
  TokenizerSpec spec = ChatSpec();
  spec.eos = 'A';
  spec.eot = 'B';
  const auto tokenizer = *CreateTokenizer(spec);
  EXPECT_TRUE(tokenizer->IsEndOfTurn(*tokenizer->FindSpecial("<|im_end|>")));
  EXPECT_TRUE(tokenizer->IsEndOfTurn(TokenId('A')));
  EXPECT_TRUE(tokenizer->IsEndOfTurn(TokenId('B')));
  EXPECT_FALSE(tokenizer->IsEndOfTurn(TokenId('C')));
  EXPECT_FALSE(tokenizer->IsEndOfTurn(*tokenizer->FindSpecial("<tool>")));
}

// Many files give such tokens another type.
TEST(Tokenizer, WhatEndsATurnIsAControlTokenWhateverTheFileSays) {
  TokenizerSpec spec = ChatSpec();
  AddToken(&spec, "<end_of_turn>", TokenType::kUserDefined);
  const auto tokenizer = *CreateTokenizer(spec);
  EXPECT_GT(tokenizer->Encode("<end_of_turn>").size(), 1u);
  EXPECT_EQ(tokenizer->EncodeTemplate("<end_of_turn>").size(), 1u);
}

TEST(Tokenizer, FindSpecialFindsNoOrdinaryToken) {
  const auto tokenizer = *CreateTokenizer(ChatSpec());
  EXPECT_TRUE(tokenizer->FindSpecial("<tool>"));
  EXPECT_FALSE(tokenizer->FindSpecial("im"));
  EXPECT_FALSE(tokenizer->FindSpecial("<absent>"));
}

TEST(Tokenizer, TokenEndsAreExactWhereTheBytesAreTheTexts) {
  const auto tokenizer = *CreateTokenizer(ByteLevelSpec({"i m", "Ã ©"}));
  const std::string text = "im é im";
  EXPECT_EQ(tokenizer->TokenEnds(tokenizer->Encode(text), text),
            (std::vector<uint32_t>{2, 3, 5, 6, 8}));
  EXPECT_EQ(tokenizer->TokenEnds({}, ""), std::vector<uint32_t>{});
}

TEST(Tokenizer, TokenEndsPassOverThePrefixSpace) {
  const auto tokenizer = *CreateTokenizer(SentencePieceSpec({"▁a", "▁", "a", "b"}));
  EXPECT_EQ(tokenizer->TokenEnds(tokenizer->Encode("ab a"), "ab a"),
            (std::vector<uint32_t>{1, 2, 4}));
  EXPECT_EQ(tokenizer->TokenEnds(tokenizer->Encode("b"), "b"), (std::vector<uint32_t>{0, 1}));
}

TEST(Tokenizer, TokenEndsComeBackBehindBytesThatAreNotUtf8) {
  const auto tokenizer = *CreateTokenizer(ByteLevelSpec({}));
  const std::string text =
      "ab\xFF\xFE"
      "cd";
  const auto ids = tokenizer->Encode(text);
  EXPECT_EQ(tokenizer->TokenEnds(ids, text), (std::vector<uint32_t>{1, 2, 3, 4, 4, 4, 4, 4, 5, 6}));
}

RC_GTEST_PROP(Tokenizer, TokenEndsNeverDecreaseAndEndWithTheText,
              (const std::string& bytes, const std::string& other)) {
  static const auto byte_level = *CreateTokenizer(ByteLevelSpec({"a b"}));
  static const auto sentence_piece = *CreateTokenizer(SentencePieceSpec({"▁a", "a"}));
  for (const Tokenizer* tokenizer : {byte_level.get(), sentence_piece.get()}) {
    const auto ids = tokenizer->Encode(bytes);
    for (const std::string& text : {bytes, other}) {
      const auto ends = tokenizer->TokenEnds(ids, text);
      RC_ASSERT(ends.size() == ids.size());
      for (size_t i = 1; i < ends.size(); ++i) RC_ASSERT(ends[i - 1] <= ends[i]);
      if (!ends.empty()) RC_ASSERT(ends.back() == text.size());
    }
  }
}

TEST(Tokenizer, HostileDescriptionsAreRefused) {
  const auto refused = [](const std::function<void(TokenizerSpec*)>& change) {
    TokenizerSpec spec = ChatSpec();
    change(&spec);
    const auto tokenizer = CreateTokenizer(spec);
    return tokenizer ? "" : tokenizer.error().Message();
  };
  const auto says = [&](std::string_view part, const std::function<void(TokenizerSpec*)>& change) {
    const std::string message = refused(change);
    return message.find(part) != std::string::npos
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << "\"" << message << "\"";
  };
  EXPECT_TRUE(says("empty", [](auto* spec) { spec->tokens.clear(); }));
  EXPECT_TRUE(says("tokens 0 and 256 are the same",
                   [](auto* spec) { spec->tokens[256] = spec->tokens[0]; }));
  EXPECT_TRUE(says("types", [](auto* spec) { spec->types.pop_back(); }));
  EXPECT_TRUE(says("type 7", [](auto* spec) { spec->types[3] = 7; }));
  EXPECT_TRUE(says("type -1", [](auto* spec) { spec->types[3] = -1; }));
  EXPECT_TRUE(says("eos token is 261", [](auto* spec) { spec->eos = 261; }));
  EXPECT_TRUE(says("bos token is -1", [](auto* spec) { spec->bos = -1; }));
  EXPECT_TRUE(says("BOS", [](auto* spec) { spec->add_bos = true; }));
  EXPECT_TRUE(says("known are gpt2 and llama", [](auto* spec) { spec->model = "t5"; }));
}

TEST(Tokenizer, EmptySpellingsGetANameAsInLlamaCpp) {
  TokenizerSpec spec = ChatSpec();
  AddToken(&spec, "", TokenType::kUserDefined);
  AddToken(&spec, "", TokenType::kControl);
  const auto tokenizer = *CreateTokenizer(spec);
  EXPECT_EQ(tokenizer->TokenText(TokenId(tokenizer->n_vocab() - 1)), "[EMPTY_262]");
  EXPECT_EQ(tokenizer->EncodeTemplate("ab").size(), 2u);
}

}  // namespace
}  // namespace anabranch
