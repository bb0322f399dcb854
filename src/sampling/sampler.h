// Logits to a token: repeat penalty, top-k, top-p, min-p, temperature. Greedy at temperature 0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "anabranch/sampling.h"
#include "anabranch/types.h"

namespace anabranch {

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
  SamplerOptions options_;
  std::vector<Candidate> candidates_;
  uint64_t rng_state_[2];
};

}  // namespace anabranch
