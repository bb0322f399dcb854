// How the next token is chosen. Names and meanings as in llama.cpp.
#pragma once

#include <cstdint>

namespace anabranch {

struct SamplerOptions {
  float temperature = 0.0f;  // 0: greedy
  int32_t top_k = 40;        // 0: all
  float top_p = 0.95f;       // 1: off
  float min_p = 0.05f;       // 0: off; share of the best probability
  float repeat_penalty = 1.0f;
  int32_t repeat_last_n = 64;  // tokens of the stream that the penalty looks at
  uint64_t seed = 0;
};

}  // namespace anabranch
