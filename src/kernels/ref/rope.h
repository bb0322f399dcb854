// Rotary position embedding (Su et al. 2021, arXiv 2104.09864, equation 34) at any int64 position.
#pragma once

#include <cstdint>

#include "tensor/plan.h"

namespace anabranch::ref {

// cos and sin [rot_dim / 2] of the angles at `position`, times mscale. The product position * inc
// is exact modulo 2^64, and 2^64 is one turn: nothing is lost however far the stream has run.
void RopeAngles(const Rope& rope, int64_t position, float* cos, float* sin);

// out = x [head_dim], its first rot_dim elements rotated. out may be x.
void RopeRotate(const Rope& rope, const float* cos, const float* sin, const float* x,
                int32_t head_dim, float* out);

}  // namespace anabranch::ref
