#include "sampling/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace anabranch {
namespace {

// splitmix64, which spreads a seed over the generator's state.
uint64_t NextSeed(uint64_t& seed) {
  seed += 0x9E3779B97F4A7C15;
  uint64_t z = seed;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// xoroshiro128++ (Blackman, Vigna: Scrambled Linear Pseudorandom Number Generators, 2021).
uint64_t NextBits(uint64_t state[2]) {
  const uint64_t s0 = state[0], s1 = state[1] ^ state[0];
  const uint64_t bits = std::rotl(s0 + state[1], 17) + s0;
  state[0] = std::rotl(s0, 49) ^ s1 ^ (s1 << 21);
  state[1] = std::rotl(s1, 28);
  return bits;
}

// A total order, so that ties have one outcome: of equal logits the lowest id is best.
template <typename Candidate>
bool IsBetter(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

template <typename Candidate>
bool IsWorse(const Candidate& a, const Candidate& b) {
  return IsBetter(b, a);
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options, int32_t n_vocab)
    : options_(options), candidates_(static_cast<size_t>(n_vocab)) {
  uint64_t seed = options.seed;
  for (uint64_t& word : rng_state_) word = NextSeed(seed);
}

TokenId Sampler::Sample(std::span<const float> logits, std::span<const TokenId> recent) {
  std::span<Candidate> live = Penalized(logits, recent);
  if (live.empty()) return TokenId(0);
  const Candidate best = *std::ranges::min_element(live, IsBetter<Candidate>);
  // Infinite logits have no softmax: the best one wins.
  if (options_.temperature <= 0 || !std::isfinite(best.logit)) return TokenId(best.id);

  if (options_.top_k > 0 && std::cmp_less(options_.top_k, live.size())) {
    std::ranges::partial_sort(live, live.begin() + options_.top_k, IsBetter<Candidate>);
    live = live.first(static_cast<size_t>(options_.top_k));
  }
  return Draw(KeepLikely(live, best.logit), best.logit);
}

std::span<Sampler::Candidate> Sampler::Penalized(std::span<const float> logits,
                                                 std::span<const TokenId> recent) {
  ANABRANCH_CHECK(logits.size() == candidates_.size());
  for (size_t i = 0; i < logits.size(); ++i) candidates_[i] = {logits[i], static_cast<int32_t>(i)};
  if (options_.repeat_last_n >= 0 && std::cmp_less(options_.repeat_last_n, recent.size())) {
    recent = recent.last(static_cast<size_t>(options_.repeat_last_n));
  }
  for (TokenId id : recent) {
    const auto i = static_cast<size_t>(id.value());
    ANABRANCH_CHECK(i < logits.size());
    const float penalty = options_.repeat_penalty;  // once, however often the token came
    candidates_[i].logit = logits[i] > 0 ? logits[i] / penalty : logits[i] * penalty;
  }
  auto end = std::remove_if(candidates_.begin(), candidates_.end(),
                            [](const Candidate& c) { return std::isnan(c.logit); });
  return {candidates_.begin(), end};
}

std::span<Sampler::Candidate> Sampler::KeepLikely(std::span<Candidate> live, float best) const {
  double total = 0;  // of all: top-p comes before min-p, which may then filter first nonetheless
  if (options_.top_p < 1) {
    for (const Candidate& candidate : live) total += std::exp(double{candidate.logit} - best);
  }
  if (options_.min_p > 0) {
    const double least = best + std::log(std::min(double{options_.min_p}, 1.0));
    auto end = std::remove_if(live.begin(), live.end(),
                              [least](const Candidate& c) { return c.logit < least; });
    live = {live.begin(), end};
  }
  if (options_.top_p >= 1) return live;

  // Takes the best from a heap, to the end of the span, until they hold top_p of the whole.
  std::ranges::make_heap(live, IsWorse<Candidate>);
  double mass = 0;
  size_t n_left = live.size();
  do {
    std::ranges::pop_heap(live.first(n_left), IsWorse<Candidate>);
    --n_left;
    mass += std::exp(double{live[n_left].logit} - best);
  } while (n_left > 0 && mass < double{options_.top_p} * total);
  return live.subspan(n_left);
}

TokenId Sampler::Draw(std::span<const Candidate> live, float best) {
  auto weight = [&](const Candidate& candidate) {
    return std::exp((double{candidate.logit} - best) / options_.temperature);
  };
  double total = 0;
  for (const Candidate& candidate : live) total += weight(candidate);
  const double target = static_cast<double>(NextBits(rng_state_) >> 11) * 0x1p-53 * total;
  double sum = 0;
  int32_t chosen = live[0].id;
  for (const Candidate& candidate : live) {
    const double added = weight(candidate);
    if (added > 0) chosen = candidate.id;  // the last one with a chance, should rounding pass all
    sum += added;
    if (sum > target) break;
  }
  return TokenId(chosen);
}

}  // namespace anabranch
