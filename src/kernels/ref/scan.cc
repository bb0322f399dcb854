#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "kernels/ref/dot.h"
#include "kernels/ref/ref.h"

namespace anabranch::ref {

void Scan(Exec& exec, Mat vectors, Mat query, Mat scores) {
  ANABRANCH_CHECK(query.cols == vectors.cols && scores.cols == vectors.rows);
  constexpr int64_t kVectorsPerTask = 256;
  const int64_t n_tasks = (vectors.rows + kVectorsPerTask - 1) / kVectorsPerTask;
  ParallelFor(exec, n_tasks, [=](int64_t task, int) {
    const int64_t begin = task * kVectorsPerTask;
    const int64_t end = std::min<int64_t>(begin + kVectorsPerTask, vectors.rows);
    for (int64_t i = begin; i < end; ++i) {
      Row(scores, 0)[i] = Dot(Row(vectors, i), Row(query, 0), vectors.cols);
    }
  });
}

void ScanCodes(Exec& exec, const CodeRows& codes, List<const int16_t> queries, int32_t* dots) {
  const int64_t n_queries = queries.n / codes.width;
  ANABRANCH_CHECK(codes.width % kCodeAlign == 0 && codes.width <= kMaxCodeWidth &&
                  n_queries * codes.width == queries.n);
  ParallelFor(exec, (codes.n + codes.block_rows - 1) / codes.block_rows, [=](int64_t block, int) {
    const int64_t begin = block * codes.block_rows;
    const int64_t end = std::min<int64_t>(begin + codes.block_rows, codes.n);
    const auto* code = As<const int8_t>(codes.blocks[block]);
    for (int64_t i = begin; i < end; ++i, code += codes.width) {
      for (int64_t q = 0; q < n_queries; ++q) {
        const int16_t* query = queries.data + q * codes.width;
        int32_t dot = 0;
        for (int32_t c = 0; c < codes.width; ++c) dot += code[c] * query[c];
        dots[q * codes.n + i] = dot;
      }
    }
  });
}

}  // namespace anabranch::ref
