#include "stream/token_tail.h"

#include <gtest/gtest.h>

namespace anabranch {
namespace {

TEST(TokenTail, GivesTheLastTokensNewestLast) {
  for (const size_t capacity : {0u, 1u, 3u, 7u}) {
    TokenTail tail(capacity);
    std::vector<TokenId> all;
    for (int32_t i = 0; i < 40; ++i) {
      tail.Push(TokenId(i));
      all.emplace_back(i);
      for (size_t n = 0; n <= 10; ++n) {
        const size_t kept = std::min({n, capacity, all.size()});
        const std::vector<TokenId> want(all.end() - static_cast<std::ptrdiff_t>(kept), all.end());
        const auto got = tail.Last(n);
        EXPECT_EQ(std::vector<TokenId>(got.begin(), got.end()), want);
      }
    }
    tail.Clear();
    EXPECT_TRUE(tail.Last(5).empty());
  }
}

}  // namespace
}  // namespace anabranch
