// The scan of vectors in 8 bits. It is bound by memory: each code is read once for up to
// kCodeQueries queries.
#pragma once

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

struct ScanCodesJob {
  const CodeRows& codes;
  const int16_t* queries;
  int32_t* dots;  // of the first query
};

constexpr int kCodeQueries = 4;
constexpr int64_t kPartsOfBlock = 4;  // tasks of a block: a few blocks are shared evenly too

template <int kQueries>
inline void ScanCodesTask(const ScanCodesJob& job, int64_t task, int) {
  const CodeRows& codes = job.codes;
  const int64_t width = codes.width, block = task / kPartsOfBlock, part = task % kPartsOfBlock;
  const int64_t n = Min(codes.block_rows, codes.n - block * codes.block_rows);
  const auto* data = reinterpret_cast<const int8_t*>(codes.blocks[block].p);
  int32_t* dots = job.dots + block * codes.block_rows;
  for (int64_t i = n * part / kPartsOfBlock; i < n * (part + 1) / kPartsOfBlock; ++i) {
    const int8_t* code = data + i * width;
    VecI sums[kQueries];
    for (int q = 0; q < kQueries; ++q) sums[q] = ZeroI();
    for (int64_t c = 0; c < width; c += kWidth * 2) {
      ReadAhead(reinterpret_cast<const unsigned char*>(code + c));
      const VecI wide = LoadI8AsI16(code + c);
      for (int q = 0; q < kQueries; ++q) {
        sums[q] = AddPairs(sums[q], wide, job.queries + q * width + c);
      }
    }
    for (int q = 0; q < kQueries; ++q) dots[q * codes.n + i] = SumI(sums[q]);
  }
}

inline void ScanCodes(Exec& exec, const CodeRows& codes, List<const int16_t> queries,
                      int32_t* dots) {
  const int64_t n_tasks = CeilDiv(codes.n, codes.block_rows) * kPartsOfBlock;
  for (int64_t left = queries.n / codes.width; left > 0;) {
    const int64_t q = queries.n / codes.width - left;
    const ScanCodesJob job{codes, queries.data + q * codes.width, dots + q * codes.n};
    if (left >= kCodeQueries) {
      Parallel<ScanCodesJob, ScanCodesTask<kCodeQueries>>(exec, job, n_tasks);
      left -= kCodeQueries;
    } else if (left >= 2) {
      Parallel<ScanCodesJob, ScanCodesTask<2>>(exec, job, n_tasks);
      left -= 2;
    } else {
      Parallel<ScanCodesJob, ScanCodesTask<1>>(exec, job, n_tasks);
      left -= 1;
    }
  }
}

}  // namespace
}  // namespace anabranch
