#include "sampling/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
// RapidCheck wants GoogleTest first.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "support/alloc_counter.h"

namespace anabranch {
namespace {

using ::testing::ElementsAre;

std::vector<TokenId> Tokens(const std::vector<int32_t>& ids) {
  std::vector<TokenId> tokens;
  for (int32_t id : ids) tokens.push_back(TokenId(id));
  return tokens;
}

// The probability of each token, by llama.cpp's steps, each over a fully sorted list.
std::vector<double> ExactProbabilities(const std::vector<float>& logits,
                                       const SamplerOptions& options,
                                       const std::vector<int32_t>& recent) {
  struct Token {
    double logit, p;
    size_t id;
  };
  std::vector<Token> tokens;
  for (size_t id = 0; id < logits.size(); ++id) tokens.push_back({logits[id], 0, id});
  const auto n_recent = std::min(recent.size(), static_cast<size_t>(options.repeat_last_n));
  const std::set<int32_t> penalised(recent.end() - static_cast<std::ptrdiff_t>(n_recent),
                                    recent.end());
  for (int32_t id : penalised) {
    double& logit = tokens[static_cast<size_t>(id)].logit;
    logit = logit <= 0 ? logit * options.repeat_penalty : logit / options.repeat_penalty;
  }
  std::stable_sort(tokens.begin(), tokens.end(),
                   [](const Token& a, const Token& b) { return a.logit > b.logit; });
  auto softmax = [&](double temperature) {
    double total = 0;
    for (Token& token : tokens) {
      total += token.p = std::exp((token.logit - tokens[0].logit) / temperature);
    }
    for (Token& token : tokens) token.p /= total;
  };
  if (options.top_k > 0) {
    tokens.resize(std::min(tokens.size(), static_cast<size_t>(options.top_k)));
  }
  if (options.top_p < 1) {
    softmax(1);
    double sum = 0;
    size_t n = 0;
    while (n < tokens.size() && (n == 0 || sum < double{options.top_p})) sum += tokens[n++].p;
    tokens.resize(n);
  }
  softmax(1);
  size_t n = tokens.size();
  while (tokens[n - 1].p < tokens[0].p * double{options.min_p}) --n;
  tokens.resize(n);
  softmax(double{options.temperature});
  std::vector<double> probabilities(logits.size());
  for (const Token& token : tokens) probabilities[token.id] = token.p;
  return probabilities;
}

// Draws n tokens and compares their counts with the exact probabilities: Pearson's chi-square below
// its 99.99 % quantile (Wilson and Hilferty's approximation), and nothing that cannot be.
void ExpectDistribution(const std::vector<float>& logits, const SamplerOptions& options,
                        const std::vector<int32_t>& recent = {}) {
  constexpr int kDraws = 20'000;
  constexpr double kZ = 3.719;  // of the normal distribution
  const std::vector<double> exact = ExactProbabilities(logits, options, recent);
  Sampler sampler(options, static_cast<int32_t>(logits.size()));
  std::vector<int> counts(logits.size());
  const std::vector<TokenId> tokens = Tokens(recent);
  for (int i = 0; i < kDraws; ++i) {
    ++counts[static_cast<size_t>(sampler.Sample(logits, tokens).value())];
  }
  double chi_square = 0, rare = 0;
  int n_rare = 0, freedom = -1;
  auto add = [&](int count, double expected) {
    chi_square += (count - expected) * (count - expected) / expected;
    ++freedom;
  };
  for (size_t id = 0; id < exact.size(); ++id) {
    const double expected = exact[id] * kDraws;
    if (expected == 0) {
      EXPECT_EQ(counts[id], 0) << "token " << id << " has no chance";
    } else if (expected < 5) {
      rare += expected;  // too few for the statistic: counted together
      n_rare += counts[id];
    } else {
      add(counts[id], expected);
    }
  }
  if (rare >= 5) add(n_rare, rare);
  if (freedom == 0) return;
  const double ratio = 2.0 / (9.0 * freedom);
  EXPECT_LT(chi_square, freedom * std::pow(1 - ratio + kZ * std::sqrt(ratio), 3));
}

const std::vector<float> kLogits = {1.0f, 2.5f, -1.0f, 0.5f, 3.0f, 2.0f,
                                    0.0f, 1.5f, -3.0f, 2.9f, 0.2f, -0.5f};

SamplerOptions Plain(float temperature = 1.0f) {
  return {.temperature = temperature, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 42};
}

TEST(Sampler, DrawsFromTheSoftmax) {
  for (float temperature : {0.3f, 1.0f, 2.5f}) {
    SCOPED_TRACE(temperature);
    ExpectDistribution(kLogits, Plain(temperature));
  }
}

TEST(Sampler, TopKKeepsTheKBest) {
  for (int32_t top_k : {1, 3, 12, 40}) {
    SCOPED_TRACE(top_k);
    SamplerOptions options = Plain();
    options.top_k = top_k;
    ExpectDistribution(kLogits, options);
  }
}

TEST(Sampler, TopPKeepsTheSmallestSetWithThatMass) {
  for (float top_p : {0.0f, 0.3f, 0.8f, 0.99f}) {
    SCOPED_TRACE(top_p);
    SamplerOptions options = Plain();
    options.top_p = top_p;
    ExpectDistribution(kLogits, options);
  }
}

TEST(Sampler, MinPKeepsWhatIsNearTheBest) {
  for (float min_p : {0.05f, 0.4f, 1.0f}) {
    SCOPED_TRACE(min_p);
    SamplerOptions options = Plain();
    options.min_p = min_p;
    ExpectDistribution(kLogits, options);
  }
}

TEST(Sampler, PenaltyCountsATokenOnceAndLooksAtTheLastN) {
  SamplerOptions options = Plain();
  options.repeat_penalty = 1.8f;
  options.repeat_last_n = 4;
  ExpectDistribution(kLogits, options, {9, 9, 9, 4, 4, 2, 1});
}

TEST(Sampler, StepsComeInLlamaCppOrder) {
  SamplerOptions options = {.temperature = 1.7f,
                            .top_k = 8,
                            .top_p = 0.9f,
                            .min_p = 0.15f,
                            .repeat_penalty = 1.3f,
                            .repeat_last_n = 3,
                            .seed = 7};
  ExpectDistribution(kLogits, options, {4, 9, 2});
}

// Whatever the options: only tokens of the exact support are drawn.
RC_GTEST_PROP(Sampler, NeverDrawsWhatTheStepsRemoved, ()) {
  const auto thousandths = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-4000, 4000));
  RC_PRE(!thousandths.empty());
  std::vector<float> logits;
  for (int value : thousandths) logits.push_back(static_cast<float>(value) / 1000.0f);
  SamplerOptions options = {.temperature = 1.0f,
                            .top_k = *rc::gen::inRange(0, 20),
                            .top_p = static_cast<float>(*rc::gen::inRange(1, 101)) / 100.0f,
                            .min_p = static_cast<float>(*rc::gen::inRange(0, 100)) / 100.0f,
                            .seed = *rc::gen::arbitrary<uint64_t>()};
  const std::vector<double> exact = ExactProbabilities(logits, options, {});
  Sampler sampler(options, static_cast<int32_t>(logits.size()));
  for (int i = 0; i < 20; ++i) {
    RC_ASSERT(exact[static_cast<size_t>(sampler.Sample(logits, {}).value())] > 0);
  }
}

TEST(Sampler, GreedyTakesTheBestAndOfTiesTheLowestId) {
  Sampler sampler({.temperature = 0}, 5);
  EXPECT_EQ(sampler.Sample(std::vector<float>{1, 3, 2, 3, 0}, {}), TokenId(1));
  EXPECT_EQ(sampler.Sample(std::vector<float>{-5, -5, -5, -5, -5}, {}), TokenId(0));
}

TEST(Sampler, GreedySeesThePenalty) {
  Sampler sampler({.temperature = 0, .repeat_penalty = 2.0f}, 3);
  EXPECT_EQ(sampler.Sample(std::vector<float>{3, 2, -1}, Tokens({0})), TokenId(1));
  EXPECT_EQ(sampler.Sample(std::vector<float>{-3, -2, -4}, Tokens({0, 1})), TokenId(1));
}

TEST(Sampler, NaNIsNeverChosen) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (float temperature : {0.0f, 1.0f}) {
    SamplerOptions options = Plain(temperature);
    for (float top_p : {0.9f, 1.0f}) {
      options.top_p = top_p;
      Sampler sampler(options, 4);
      const std::vector<float> logits = {nan, 1.0f, nan, 1.0f};
      for (int i = 0; i < 100; ++i) EXPECT_EQ(sampler.Sample(logits, {}).value() % 2, 1);
      EXPECT_EQ(sampler.Sample(std::vector<float>(4, nan), {}), TokenId(0));
    }
  }
}

TEST(Sampler, InfiniteLogitsAreCertainAndImpossible) {
  const float inf = std::numeric_limits<float>::infinity();
  Sampler sampler(Plain(), 3);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(sampler.Sample(std::vector<float>{5, inf, 5}, {}), TokenId(1));
    EXPECT_EQ(sampler.Sample(std::vector<float>{-inf, -inf, 0}, {}), TokenId(2));
    EXPECT_EQ(sampler.Sample(std::vector<float>{-inf, -inf, -inf}, {}), TokenId(0));
  }
}

std::vector<int32_t> FirstDraws(uint64_t seed, size_t n) {
  SamplerOptions options = Plain();
  options.seed = seed;
  Sampler sampler(options, 1000);
  std::vector<int32_t> ids;
  for (size_t i = 0; i < n; ++i) {
    ids.push_back(sampler.Sample(std::vector<float>(1000, 0.0f), {}).value());
  }
  return ids;
}

// From the definitions of splitmix64 and xoroshiro128++ in Python's integers: of equal logits, draw
// i is token floor(1000 * (bits >> 11) / 2^53).
TEST(Sampler, SameSeedGivesTheSameTokensEverywhere) {
  EXPECT_THAT(FirstDraws(0, 8), ElementsAre(435, 748, 284, 432, 462, 331, 868, 694));
  EXPECT_THAT(FirstDraws(123456789, 8), ElementsAre(773, 864, 53, 672, 986, 533, 304, 602));
  EXPECT_NE(FirstDraws(1, 8), FirstDraws(2, 8));
}

std::vector<float> VocabularyLogits() {
  std::vector<float> logits(49152);
  for (size_t i = 0; i < logits.size(); ++i) {
    logits[i] = 10 * std::sin(static_cast<float>(i) * 12.9898f);
  }
  return logits;
}

TEST(Sampler, SamplingAllocatesNothing) {
  const std::vector<float> logits = VocabularyLogits();
  const std::vector<TokenId> recent(100, TokenId(5));
  for (int32_t top_k : {0, 40}) {
    SamplerOptions options = {.temperature = 0.8f, .top_k = top_k, .repeat_penalty = 1.1f};
    Sampler sampler(options, static_cast<int32_t>(logits.size()));
    const int64_t before = testing::AllocCounter::Count();
    for (int i = 0; i < 10; ++i) sampler.Sample(logits, recent);
    EXPECT_EQ(testing::AllocCounter::Count(), before);
  }
  const int64_t before = testing::AllocCounter::Count();
  std::vector<float> copy = logits;
  EXPECT_EQ(testing::AllocCounter::Count(), before + 1) << "the counter counts";
}

}  // namespace
}  // namespace anabranch
