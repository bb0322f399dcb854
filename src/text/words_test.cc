#include "text/words.h"

#include <gtest/gtest.h>

namespace anabranch {
namespace {

TEST(LexicalWords, AreFoldedDistinctAndSorted) {
  EXPECT_EQ(LexicalWords("The CAT, the Größe; 春眠 x1"),
            (std::vector<std::string>{"cat", "größe", "the", "x1", "春", "眠"}));
}

TEST(FoldCase, ComparesWithoutCaseAndKeepsOtherBytes) {
  EXPECT_EQ(FoldCase("GRÜN, Ωmega\xff"), "grün, ωmega\xff");
}

}  // namespace
}  // namespace anabranch
