// A model's token list: spellings, kinds, look-up, and the tokens that are recognised as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "anabranch/types.h"
#include "base/result.h"
#include "text/tokenizer.h"

namespace anabranch {

// A part of a text: a token that stands there as a whole, or text that is still to be encoded.
struct Fragment {
  std::string_view text;
  std::optional<TokenId> token;
};

// Immutable after creation; moving it keeps all views into it valid.
class Vocabulary {
 public:
  // Errors: no tokens, too many for an id, one spelling twice, lists of different lengths, a
  // special id outside the list. An empty spelling becomes "[EMPTY_id]", as in llama.cpp.
  static Result<Vocabulary> Create(const TokenizerSpec& spec);
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  const std::string& Text(TokenId id) const { return tokens_[Index(id)]; }
  TokenType Type(TokenId id) const { return types_[Index(id)]; }
  std::optional<TokenId> Find(std::string_view text) const;
  // Only of tokens that users' text may become: no control tokens, not the unknown one.
  std::optional<TokenId> FindPlain(std::string_view text) const;
  bool IsEndOfTurn(TokenId id) const { return ends_turn_[Index(id)]; }

  // Cuts out the user-defined tokens, and with `special` the control and unknown ones too: the
  // longest spelling first, each from left to right (llama.cpp's order, which decides overlaps).
  std::vector<Fragment> Partition(std::string_view text, bool special) const;

 private:
  Vocabulary() = default;
  size_t Index(TokenId id) const;

  std::vector<std::string> tokens_;
  std::vector<TokenType> types_;
  std::vector<bool> ends_turn_;
  std::unordered_map<std::string_view, int32_t> ids_;
  std::vector<TokenId> whole_tokens_;  // longest first
};

}  // namespace anabranch
