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

TEST(NamesSomething, ACapitalOrANumberBehindTheFirstWord) {
  for (const char* naming :
       {"Where is Bob?", "What about 2019?", "Wo wohnt Änne?", "Где живёт Анна?",
        "\"Is Bob's here?\"", "Who is J?", "Am I in\xC3Rome?", "In Rome"}) {
    EXPECT_TRUE(NamesSomething(naming)) << naming;
  }
  for (const char* not_naming :
       {"", "?!", "When does it leave?", "Bob", "What do I type in?", "What am I",
        "Where did I'm come from?", "她住在哪里？", "\xFF\xFE"}) {
    EXPECT_FALSE(NamesSomething(not_naming)) << not_naming;
  }
}

}  // namespace
}  // namespace anabranch
