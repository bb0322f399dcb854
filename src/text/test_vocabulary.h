// Small vocabularies for tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_alphabet.h"
#include "text/tokenizer.h"

namespace anabranch::testing {

// All bytes, and merges ("left right") with their results. Token types: all normal.
inline TokenizerSpec ByteLevelSpec(std::vector<std::string> merges, std::string pre = "gpt-2") {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = std::move(pre);
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.emplace_back(ByteSpelling(static_cast<uint8_t>(byte)));
  }
  for (const std::string& merge : merges) {
    const size_t space = merge.find(' ', 1);
    const std::string token = merge.substr(0, space) + merge.substr(space + 1);
    if (std::find(spec.tokens.begin(), spec.tokens.end(), token) == spec.tokens.end()) {
      spec.tokens.push_back(token);
    }
  }
  spec.merges = std::move(merges);
  spec.types.assign(spec.tokens.size(), static_cast<int32_t>(TokenType::kNormal));
  return spec;
}

inline void AddToken(TokenizerSpec* spec, std::string text, TokenType type, float score = 0) {
  spec->tokens.push_back(std::move(text));
  spec->types.push_back(static_cast<int32_t>(type));
  spec->scores.push_back(score);
}

// <unk>, <s>, </s>, all bytes, and pieces: the first has the best score.
inline TokenizerSpec SentencePieceSpec(const std::vector<std::string>& pieces) {
  TokenizerSpec spec;
  spec.model = "llama";
  AddToken(&spec, "<unk>", TokenType::kUnknown);
  AddToken(&spec, "<s>", TokenType::kControl);
  AddToken(&spec, "</s>", TokenType::kControl);
  for (int byte = 0; byte < 256; ++byte) {
    const char* const digits = "0123456789ABCDEF";
    AddToken(&spec, std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">",
             TokenType::kByte);
  }
  float score = 0;
  for (const std::string& piece : pieces) AddToken(&spec, piece, TokenType::kNormal, score -= 1);
  spec.unk = 0;
  spec.bos = 1;
  spec.eos = 2;
  return spec;
}

// The spellings of ids.
inline std::vector<std::string> Spellings(const Tokenizer& tokenizer,
                                          const std::vector<TokenId>& ids) {
  std::vector<std::string> texts;
  for (const TokenId id : ids) texts.emplace_back(tokenizer.TokenText(id));
  return texts;
}

}  // namespace anabranch::testing
