// Activations as int8, in blocks of 32 with one scale, for the byte dot products; or as int16, in
// blocks of 128, for weights of floats that became int16.
//
//   rows in groups of kRowGroup:   | group 0 | group 1 | ...
//   a group:   | block 0: row 0, row 1, ... row 7 | block 1: row 0, ... | ...
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

struct alignas(64) WideBlock {
  int16_t q[128];
  float scale;
};

template <typename Block>
constexpr int64_t ColumnsOf() {
  return sizeof(Block::q) / sizeof(Block{}.q[0]);
}

// Of whichever needs more.
inline size_t QuantizedBytes(int64_t rows, int64_t cols) {
  const auto bytes = [&](int64_t block, int64_t size) { return CeilDiv(cols, block) * size; };
  return static_cast<size_t>(RoundUp(rows, kRowGroup) *
                             Max(bytes(ColumnsOf<XBlock>(), sizeof(XBlock)),
                                 bytes(ColumnsOf<WideBlock>(), sizeof(WideBlock))));
}

inline bool FitsScratch(const ExecLimits& limits, const Mat& x) {
  return x.rows <= limits.max_rows && x.cols <= limits.max_cols;
}

// The largest magnitude of kN values, kN a multiple of kWidth.
template <int kN>
inline float LargestOf(const float* x) {
  VecF max = Zero();
  for (int i = 0; i < kN; i += kWidth) max = Max(max, Abs(Load(x + i)));
  return MaxOf(max);
}

inline void QuantizeBlock(const float* x, XBlock* out) {
  const float amax = LargestOf<32>(x);
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

inline void QuantizeBlock(const float* x, WideBlock* out) {
  const float amax = LargestOf<128>(x);
  const VecF inverse = Set1(amax > 0 ? 32767.0f / amax : 0.0f);
  out->scale = amax / 32767.0f;
  for (int i = 0; i < 128; i += kWidth) StoreI16(out->q + i, Mul(Load(x + i), inverse));
}

template <typename Block>
struct QuantizeJob {
  const Mat& x;
  Block* out;
};

template <typename Block>
void QuantizeGroup(const QuantizeJob<Block>& job, int64_t group, int) {
  constexpr int64_t kCols = ColumnsOf<Block>();
  const int64_t n_blocks = job.x.cols / kCols;
  Block* out = job.out + group * n_blocks * kRowGroup;
  const int64_t n_rows = Min(kRowGroup, job.x.rows - group * kRowGroup);
  for (int64_t r = 0; r < n_rows; ++r) {
    const float* x = Row(job.x, group * kRowGroup + r);
    for (int64_t b = 0; b < n_blocks; ++b) QuantizeBlock(x + kCols * b, &out[b * kRowGroup + r]);
  }
}

// x.cols is a multiple of the block's columns.
template <typename Block>
const Block* Quantize(Exec& exec, const Mat& x) {
  const QuantizeJob<Block> job{x, reinterpret_cast<Block*>(exec.scratch)};
  Parallel<QuantizeJob<Block>, QuantizeGroup<Block>>(exec, job, CeilDiv(x.rows, kRowGroup));
  return job.out;
}

}  // namespace
}  // namespace anabranch
