#include "kernels/ref/rope.h"

#include <cmath>
#include <numbers>

#include "kernels/ref/ref.h"

namespace anabranch::ref {

void RopeAngles(const Rope& rope, int64_t position, float* cos, float* sin) {
  const auto* inc = As<const uint64_t>(rope.inc);
  for (int32_t j = 0; j < rope.rot_dim / 2; ++j) {
    const uint64_t phase = static_cast<uint64_t>(position) * inc[j];
    // Read as signed: half a turn back to half a turn forth.
    const double turns = static_cast<double>(static_cast<int64_t>(phase)) * 0x1p-64;
    const double angle = 2.0 * std::numbers::pi * turns;
    cos[j] = static_cast<float>(std::cos(angle)) * rope.mscale;
    sin[j] = static_cast<float>(std::sin(angle)) * rope.mscale;
  }
}

void RopeRotate(const Rope& rope, const float* cos, const float* sin, const float* x,
                int32_t head_dim, float* out) {
  const int32_t half = rope.rot_dim / 2;
  for (int32_t j = 0; j < half; ++j) {
    const int32_t first = rope.interleaved ? 2 * j : j;
    const int32_t second = rope.interleaved ? 2 * j + 1 : j + half;
    const float a = x[first], b = x[second];
    out[first] = a * cos[j] - b * sin[j];
    out[second] = a * sin[j] + b * cos[j];
  }
  for (int32_t j = rope.rot_dim; j < head_dim; ++j) out[j] = x[j];
}

}  // namespace anabranch::ref
