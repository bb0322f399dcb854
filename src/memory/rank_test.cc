#include "memory/rank.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anabranch {
namespace {

using Scores = std::vector<UnitScore>;

// Words and neighbours lift, and margins are added up.
RankPolicy Lifting() {
  RankPolicy policy;
  policy.words = RankPolicy::Words::kLift;
  policy.words_lift = 0.3f;
  policy.neighbour_share = 0.4f;
  policy.fusion = RankPolicy::Fusion::kMargins;
  return policy;
}

int64_t Best(const std::vector<Candidate>& candidates, const RankPolicy& policy = Lifting()) {
  const std::vector<float> weights(candidates.front().scores.size(), 1.0f);
  return Rank(candidates, weights, policy).front().unit;
}

TEST(Rank, CosineLeads) {
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.5f, 0}}}, {.unit = 2, .scores = {{0.6f, 0}}}}), 2);
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.2f, 1}}}, {.unit = 2, .scores = {{0.6f, 0}}}}), 2);
}

TEST(Rank, RareWordsLiftByTheShareThatIsThere) {
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.5f, 0.9f}}}, {.unit = 2, .scores = {{0.6f, 0}}}}), 1);
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.5f, 0.2f}}}, {.unit = 2, .scores = {{0.6f, 0}}}}), 2);
}

TEST(Rank, BehindAGateOnlyMostOfTheRareWordsLift) {
  const RankPolicy gate = {.words = RankPolicy::Words::kGate};
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.5f, 0.5f}}}, {.unit = 2, .scores = {{0.6f, 0}}}}, gate),
            2);
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.5f, 0.9f}}}, {.unit = 2, .scores = {{0.6f, 0}}}}, gate),
            1);
}

TEST(Rank, AUnitBesideAGoodOneIsLifted) {
  const std::vector<Candidate> candidates = {
      {.unit = 1, .scores = {{0.5f, 0}}, .neighbours = {Scores{{0.1f, 0}}, Scores{{0.6f, 0}}}},
      {.unit = 5, .scores = {{0.6f, 0}}, .neighbours = {Scores{{0.0f, 0}}}}};
  EXPECT_EQ(Best(candidates), 1);
  EXPECT_EQ(Best(candidates, {.neighbour_share = 0}), 5);
}

TEST(Rank, AtSimilarScoresTheUserOutranksTheModel) {
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.60f, 0}}},
                  {.unit = 2, .scores = {{0.62f, 0}}, .role = Role::kAssistant}}),
            1);
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.50f, 0}}},
                  {.unit = 2, .scores = {{0.62f, 0}}, .role = Role::kAssistant}}),
            2);
}

TEST(Rank, WhatRepeatsTheQuestionStandsBehind) {
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.55f, 0}}},
                  {.unit = 2, .scores = {{0.9f, 0}}, .repeats = true}}),
            1);
}

// A question that finds one unit far above the rest, and one that finds everything alike.
TEST(Rank, AQueryThatFindsNothingInParticularDoesNotDisturb) {
  std::vector<Candidate> candidates = {{.unit = 0, .scores = {{0.7f, 0}, {0.5f, 0}}}};
  for (int64_t unit = 1; unit < 40; ++unit) {
    const float alike = 0.5f + 0.001f * static_cast<float>(unit);
    candidates.push_back({.unit = unit, .scores = {{0.3f, 0}, {alike, 0}}});
  }
  const std::vector<Hit> hits = Rank(candidates, std::vector<float>{1, 1}, Lifting());
  EXPECT_EQ(hits[0].unit, 0);
  EXPECT_LT(hits[1].fused, 0.1 * hits[0].fused);
}

TEST(Rank, EachQuestionPutsItsBestUnitInFront) {
  // Units 4 and 5 are second best for the first question, with higher cosines than 2 has at all.
  const std::vector<Candidate> candidates = {{.unit = 1, .scores = {{0.9f, 0}, {0.0f, 0}}},
                                             {.unit = 2, .scores = {{0.1f, 0}, {0.9f, 0}}},
                                             {.unit = 4, .scores = {{0.6f, 0}, {0.1f, 0}}},
                                             {.unit = 5, .scores = {{0.5f, 0}, {0.2f, 0}}}};
  for (const auto fusion : {RankPolicy::Fusion::kMargins, RankPolicy::Fusion::kReciprocalRanks}) {
    const std::vector<Hit> hits = Rank(candidates, std::vector<float>{1, 1}, {.fusion = fusion});
    EXPECT_EQ(std::max(hits[0].unit, hits[1].unit), 2);
    EXPECT_EQ(std::min(hits[0].unit, hits[1].unit), 1);
  }
}

TEST(Rank, WordsAloneLeaveCosinesAside) {
  EXPECT_EQ(Best({{.unit = 1, .scores = {{0.9f, 0.1f}}}, {.unit = 2, .scores = {{0.1f, 0.8f}}}},
                 {.words = RankPolicy::Words::kAlone}),
            2);
}

TEST(Rank, AHitHasItsBestCosineItsBestShareOfWordsAndWhatItsOwnWordsAddUpTo) {
  const std::vector<float> weights = {1, 1};
  std::vector<Candidate> candidates = {
      {.unit = 7, .scores = {{0.5f, 0}, {0.4f, 1}}, .neighbours = {Scores{{0.9f, 0}, {0.9f, 0}}}}};
  const Hit hit = Rank(candidates, weights, Lifting()).front();
  EXPECT_FLOAT_EQ(hit.cosine, 0.5f);
  EXPECT_FLOAT_EQ(hit.lexical, 1);
  EXPECT_FLOAT_EQ(hit.score, 0.4f + Lifting().words_lift);
  candidates[0].repeats = true;
  EXPECT_FLOAT_EQ(Rank(candidates, weights, Lifting()).front().score,
                  hit.score - Lifting().repeat_penalty);
}

}  // namespace
}  // namespace anabranch
