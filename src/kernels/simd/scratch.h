// What attend and append need per thread, and the partial states of attention; planned from the
// limits of an Exec, all in its scratch (the quantised activations of matmul lie in the same bytes:
// no op runs inside another).
//
//   per thread: | cos, sin | rotated queries | keys, transposed | values |
//   per slot:   | output [queries, width] | sum [queries, kWidth] | max [queries] |
#pragma once

#include "kernels/simd/quantize.h"

namespace anabranch {
namespace {

constexpr int64_t kKeys = 32;     // of a block: keys and values in F32 fit the L1 cache together
constexpr int64_t kQueries = 64;  // of a work item: the rows of a block times the heads of a group
constexpr int64_t kItemsPerThread = 8;  // fewer leave a thread idle at the end of a decode step

// Partial attention state of each query of a work item: output and sum of weights relative to a
// reference, which no score exceeds by more than kMaxRise. The identity is {0, -infinity, 0}.
struct States {
  float* out;  // [queries, width]
  float* max;  // the reference
  float* sum;  // [queries, kWidth]: in parts, of which the sum is meant
};

struct AttendScratch {
  float* base;
  int64_t width;        // head_dim, rounded up to whole vectors
  int64_t max_queries;  // of a work item
  int64_t n_threads;

  int64_t thread_floats() const {
    return RoundUp(2 * width + max_queries * width + 2 * kKeys * width, 16);
  }
  int64_t slot_floats() const { return RoundUp(max_queries * (width + kWidth + 1), 16); }
  // Splits make at most kItemsPerThread work items per thread, and one more of each.
  int64_t n_slots() const { return 2 * kItemsPerThread * n_threads; }
  size_t bytes() const {
    return static_cast<size_t>(n_threads * thread_floats() + n_slots() * slot_floats()) *
           sizeof(float);
  }

  float* cos_sin(int64_t thread) const { return base + thread * thread_floats(); }
  float* queries(int64_t thread) const { return cos_sin(thread) + 2 * width; }
  // [width, kKeys]
  float* keys(int64_t thread) const { return queries(thread) + max_queries * width; }
  // [kKeys, width]
  float* values(int64_t thread) const { return keys(thread) + kKeys * width; }
  States states(int64_t slot) const {
    float* out = base + n_threads * thread_floats() + slot * slot_floats();
    return {out, out + max_queries * (width + kWidth), out + max_queries * width};
  }
};

// For heads of head_dim <= limits.max_head_dim.
inline AttendScratch AttendScratchOf(const ExecLimits& limits, int64_t head_dim,
                                     unsigned char* scratch) {
  return {reinterpret_cast<float*>(scratch), RoundUp(head_dim, kWidth),
          Max(kQueries, limits.max_heads), Max(1, limits.n_threads)};
}

inline size_t ScratchBytes(const ExecLimits& limits) {
  const size_t attend = AttendScratchOf(limits, limits.max_head_dim, nullptr).bytes();
  const size_t matmul = QuantizedBytes(limits.max_rows, limits.max_cols);
  return attend > matmul ? attend : matmul;
}

}  // namespace
}  // namespace anabranch
