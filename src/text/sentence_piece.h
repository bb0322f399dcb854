// SentencePiece-style BPE (Llama 1 and 2, Gemma): characters, merged by the score of the result.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "anabranch/types.h"
#include "base/result.h"
#include "text/vocabulary.h"

namespace anabranch {

// Immutable after creation; any thread may use it.
class SentencePiece {
 public:
  // Errors: not one score per token; a byte that has neither a token nor an unknown token.
  static Result<SentencePiece> Create(const TokenizerSpec& spec, const Vocabulary& vocabulary);

  // Appends the ids of a text, O(n log n); spaces are read as U+2581. What no token stands for
  // becomes byte tokens. Bytes that are not UTF-8 go through llama.cpp's hands: a lead byte takes
  // the bytes that should follow it, whatever they are. `vocabulary` is the one of Create.
  void Encode(std::string_view text, const Vocabulary& vocabulary, std::vector<TokenId>* ids) const;

 private:
  SentencePiece() = default;

  std::vector<float> scores_;
  std::array<TokenId, 256> byte_ids_{};
};

}  // namespace anabranch
