// The last tokens of a stream, for the repeat penalty.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "anabranch/types.h"

namespace anabranch {

// Keeps at least the last `capacity` tokens in one piece; allocates at construction alone.
class TokenTail {
 public:
  explicit TokenTail(size_t capacity) : capacity_(capacity) { tokens_.reserve(2 * capacity); }

  void Push(TokenId token) {
    if (capacity_ == 0) return;
    if (tokens_.size() == 2 * capacity_) {
      tokens_.erase(tokens_.begin(), tokens_.end() - static_cast<std::ptrdiff_t>(capacity_ - 1));
    }
    tokens_.push_back(token);
  }
  void Push(std::span<const TokenId> tokens) {
    for (const TokenId token : tokens) Push(token);
  }
  void Clear() { tokens_.clear(); }
  // The last n, or as many as there are (and are kept); newest last.
  std::span<const TokenId> Last(size_t n) const {
    return std::span(tokens_).last(std::min({n, capacity_, tokens_.size()}));
  }

 private:
  size_t capacity_;
  std::vector<TokenId> tokens_;
};

}  // namespace anabranch
