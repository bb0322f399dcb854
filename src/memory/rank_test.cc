#include "memory/rank.h"

#include <gtest/gtest.h>

namespace anabranch {
namespace {

constexpr float kOne[] = {1};

int64_t Best(std::vector<Candidate> candidates, std::vector<float> weights = {1}) {
  return Rank(candidates, weights).front().unit;
}

TEST(Rank, CosineLeads) {
  EXPECT_EQ(Best({{.unit = 1, .cosines = {0.5f}}, {.unit = 2, .cosines = {0.6f}}}), 2);
}

TEST(Rank, FewRareWordsLiftNothingAndMostOfThemDo) {
  EXPECT_EQ(Best({{.unit = 1, .cosines = {0.5f}, .lexical = 0.5f}, {.unit = 2, .cosines = {0.6f}}}),
            2);
  EXPECT_EQ(Best({{.unit = 1, .cosines = {0.5f}, .lexical = 0.9f}, {.unit = 2, .cosines = {0.6f}}}),
            1);
  EXPECT_EQ(Best({{.unit = 1, .cosines = {0.3f}, .lexical = 1}, {.unit = 2, .cosines = {0.6f}}}),
            2);
}

TEST(Rank, AtSimilarScoresTheUserOutranksTheModel) {
  EXPECT_EQ(Best({{.unit = 1, .cosines = {0.60f}},
                  {.unit = 2, .cosines = {0.62f}, .role = Role::kAssistant}}),
            1);
  EXPECT_EQ(Best({{.unit = 1, .cosines = {0.50f}},
                  {.unit = 2, .cosines = {0.62f}, .role = Role::kAssistant}}),
            2);
}

TEST(Rank, WhatRepeatsTheQuestionStandsBehind) {
  EXPECT_EQ(
      Best({{.unit = 1, .cosines = {0.55f}}, {.unit = 2, .cosines = {0.9f}, .repeats = true}}), 1);
}

TEST(Rank, EachQuestionPutsItsBestUnitInFront) {
  // Unit 3 is second best for both, with lower cosines than either best.
  const std::vector<Candidate> candidates = {{.unit = 1, .cosines = {0.9f, 0.0f}},
                                             {.unit = 2, .cosines = {0.1f, 0.5f}},
                                             {.unit = 4, .cosines = {0.8f, 0.1f}},
                                             {.unit = 5, .cosines = {0.7f, 0.2f}}};
  const std::vector<Hit> hits = Rank(candidates, std::vector<float>{1, 1});
  const auto place = [&](int64_t unit) {
    return std::find_if(hits.begin(), hits.end(), [&](const Hit& h) { return h.unit == unit; }) -
           hits.begin();
  };
  EXPECT_LT(place(2), 2);
  EXPECT_LT(place(1), 3);
}

TEST(Rank, ScoresAreCosinesWithTheirAdjustment) {
  const std::vector<Candidate> candidates = {{.unit = 7, .cosines = {0.5f}, .lexical = 1}};
  const Hit hit = Rank(candidates, kOne).front();
  EXPECT_FLOAT_EQ(hit.cosine, 0.5f);
  EXPECT_GT(hit.score, hit.cosine);
}

}  // namespace
}  // namespace anabranch
