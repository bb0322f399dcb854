// Logits to a token: repeat penalty, top-k, top-p, min-p, temperature. Greedy at temperature 0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "anabranch/sampling.h"
#include "anabranch/types.h"

namespace anabranch {

// Steps and their order are those of llama.cpp: penalty, top-k, top-p, min-p, temperature, draw
// (top-p and min-p look at the probabilities before the temperature). A temperature of 0 or less is
// greedy; of equal logits the lowest id is best. A negative repeat_last_n looks at all of `recent`.
//
// Same logits, options and seed: the same tokens. Allocates at construction alone.
class Sampler {
 public:
  Sampler(const SamplerOptions& options, int32_t n_vocab);
  // `logits` [n_vocab] is not changed. `recent`: the stream's last tokens, newest last. NaN logits
  // are never chosen; if all are, the answer is token 0.
  TokenId Sample(std::span<const float> logits, std::span<const TokenId> recent);

 private:
  struct Candidate {
    float logit;
    int32_t id;
  };
  // All tokens but NaN, with the repeat penalty, in the order of their ids.
  std::span<Candidate> Penalized(std::span<const float> logits, std::span<const TokenId> recent);
  // What top-p and min-p leave of the candidates, of which `best` is the highest logit.
  std::span<Candidate> KeepLikely(std::span<Candidate> live, float best) const;
  // One of the candidates, at the temperature.
  TokenId Draw(std::span<const Candidate> live, float best);

  SamplerOptions options_;
  std::vector<Candidate> candidates_;
  uint64_t rng_state_[2];
};

}  // namespace anabranch
