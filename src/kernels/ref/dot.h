// The one inner product of the reference backend.
#pragma once

#include <cstdint>

namespace anabranch::ref {

// Sixteen sums, so that a compiler that keeps the order of additions can still use vectors.
inline float Dot(const float* a, const float* b, int64_t n) {
  constexpr int kLanes = 16;
  float sums[kLanes] = {};
  const int64_t whole = n / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float total = 0.0f;
  for (int64_t i = whole; i < n; ++i) total += a[i] * b[i];
  for (float sum : sums) total += sum;
  return total;
}

}  // namespace anabranch::ref
