// Byte-level BPE (GPT-2): a text's bytes, merged pair by pair within words.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "anabranch/types.h"
#include "base/result.h"
#include "text/pre_tokenizer.h"
#include "text/vocabulary.h"

namespace anabranch {

// Immutable after creation; any thread may use it.
class ByteLevelBpe {
 public:
  // Errors: an unknown pre-tokenizer, a merge whose tokens or result the vocabulary lacks.
  static Result<ByteLevelBpe> Create(const TokenizerSpec& spec, const Vocabulary& vocabulary);

  // Appends the ids of a text, O(n log n). Ids equal llama.cpp's, and so does what is lossy: each
  // ill-formed byte is read as U+FFFD, an overlong form as its character, and a byte for which the
  // vocabulary has no token is left out. `vocabulary` is the one of Create.
  void Encode(std::string_view text, const Vocabulary& vocabulary, std::vector<TokenId>* ids) const;

 private:
  struct Merge {
    int32_t rank, result;
  };
  static uint64_t PairKey(int32_t left, int32_t right);
  const Merge* FindMerge(int32_t left, int32_t right) const;
  void EncodeWord(std::string_view word, std::vector<TokenId>* ids) const;

  explicit ByteLevelBpe(PreTokenizer pre_tokenizer) : pre_tokenizer_(std::move(pre_tokenizer)) {}

  PreTokenizer pre_tokenizer_;
  // Llama 3: a word that is a token as a whole is not merged.
  bool ignore_merges_ = false;
  std::array<int32_t, 256> byte_ids_{};  // kNoToken: the vocabulary lacks it
  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace anabranch
