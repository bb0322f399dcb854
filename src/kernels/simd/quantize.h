// Activations as int8, in blocks of 32 with one scale, for the byte dot products.
//
//   rows in groups of kRowGroup:   | group 0 | group 1 | ...
//   a group:   | block 0: row 0, row 1, ... row 7 | block 1: row 0, ... | ...   64 bytes each
//
// so that a tile kernel walks all rows of its group with one pointer.
#pragma once

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

constexpr int kRowGroup = 8;

struct alignas(64) XBlock {
  int8_t q[32];
  float scale;
  float sum;          // of q
  float half_sum[2];  // of q's halves, for weights in blocks of 16
};

inline size_t QuantizedBytes(int64_t rows, int64_t cols) {
  return static_cast<size_t>(RoundUp(rows, kRowGroup) * CeilDiv(cols, 32)) * sizeof(XBlock);
}

inline bool FitsScratch(const ExecLimits& limits, const Mat& x) {
  return x.rows <= limits.max_rows && x.cols <= limits.max_cols;
}

inline void QuantizeBlock(const float* x, XBlock* out) {
  VecF max = Zero();
  for (int i = 0; i < 32; i += kWidth) max = Max(max, Abs(Load(x + i)));
  const float amax = MaxOf(max);
  const VecF inverse = Set1(amax > 0 ? 127.0f / amax : 0.0f);
  out->scale = amax / 127.0f;
  for (int half = 0; half < 2; ++half) {
    VecF sum = Zero();
    for (int i = 16 * half; i < 16 * half + 16; i += kWidth) {
      const VecF q = RoundNearest(Mul(Load(x + i), inverse));
      StoreI8(out->q + i, q);
      sum = Add(sum, q);
    }
    out->half_sum[half] = Sum(sum);
  }
  out->sum = out->half_sum[0] + out->half_sum[1];
}

struct QuantizeJob {
  const Mat& x;
  XBlock* out;
};

inline void QuantizeGroup(const QuantizeJob& job, int64_t group, int) {
  const int64_t n_blocks = job.x.cols / 32;
  XBlock* out = job.out + group * n_blocks * kRowGroup;
  const int64_t n_rows = Min(kRowGroup, job.x.rows - group * kRowGroup);
  for (int64_t r = 0; r < n_rows; ++r) {
    const float* x = Row(job.x, group * kRowGroup + r);
    for (int64_t b = 0; b < n_blocks; ++b) QuantizeBlock(x + 32 * b, &out[b * kRowGroup + r]);
  }
}

// x.cols is a multiple of 32.
inline XBlock* Quantize(Exec& exec, const Mat& x) {
  const QuantizeJob job{x, reinterpret_cast<XBlock*>(exec.scratch)};
  Parallel<QuantizeJob, QuantizeGroup>(exec, job, CeilDiv(x.rows, kRowGroup));
  return job.out;
}

}  // namespace
}  // namespace anabranch
