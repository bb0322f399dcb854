#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "kernels/ref/ref.h"
#include "tensor/dequantize.h"

namespace anabranch::ref {
namespace {

constexpr size_t kAlignment = 64;

// Bytes of a row as in the file; 0 when blocks do not fit cols.
int64_t RowBytes(GgufType type, int32_t cols) {
  const int64_t block = GgufBlockSize(type);
  return cols % block == 0 ? cols / block * GgufBlockBytes(type) : 0;
}

}  // namespace

int64_t ScratchFloats(const ExecLimits& limits) {
  const int64_t gated = int64_t{2} * kRowsPerTask * limits.max_cols;
  // A block of keys and of values; cosines and sines, a query, two states.
  const int64_t attend = int64_t{2 * kKeysPerBlock + 4} * limits.max_head_dim;
  const int64_t floats_per_line = static_cast<int64_t>(kAlignment / sizeof(float));
  return (std::max(gated, attend) + floats_per_line - 1) / floats_per_line * floats_per_line;
}

size_t ScratchBytes(const ExecLimits& limits) {
  return static_cast<size_t>(ScratchFloats(limits) * limits.n_threads) * sizeof(float);
}

float* ThreadScratch(const Exec& exec, int thread) {
  return reinterpret_cast<float*>(exec.scratch) + thread * ScratchFloats(exec.limits);
}

bool Alloc(Exec&, size_t bytes, DevPtr* out) {
  if (bytes > std::numeric_limits<size_t>::max() - kAlignment) return false;
  const size_t rounded = std::max((bytes + kAlignment - 1) / kAlignment, size_t{1}) * kAlignment;
  out->p = static_cast<unsigned char*>(std::aligned_alloc(kAlignment, rounded));
  return out->p != nullptr;
}

void Free(Exec&, DevPtr memory) { std::free(memory.p); }

void Upload(Exec&, DevPtr dst, List<const unsigned char> src) {
  std::copy_n(src.data, src.n, dst.p);
}

void Download(Exec&, List<unsigned char> dst, DevPtr src) { std::copy_n(src.p, dst.n, dst.data); }

const char* Sync(Exec& exec) { return std::exchange(exec.fault, nullptr); }

size_t PackedBytes(GgufType type, int32_t rows, int32_t cols, FloatWeights) {
  if (!IsKnownGgufType(static_cast<uint32_t>(type)) || rows <= 0 || cols <= 0) return 0;
  return static_cast<size_t>(RowBytes(type, cols)) * static_cast<size_t>(rows);
}

const char* Products(GgufType type) {
  return IsKnownGgufType(static_cast<uint32_t>(type)) ? "floats" : nullptr;
}

bool Pack(Exec& exec, List<const unsigned char> raw, GgufType type, int32_t rows, int32_t cols,
          FloatWeights floats, DevPtr dst, Weight* out) {
  const size_t bytes = PackedBytes(type, rows, cols, floats);
  if (bytes == 0 || static_cast<size_t>(raw.n) != bytes) return false;
  const int64_t row_bytes = RowBytes(type, cols);
  ParallelFor(exec, rows, [=](int64_t row, int) {
    std::copy_n(raw.data + row * row_bytes, row_bytes, dst.p + row * row_bytes);
  });
  *out = Weight{dst, rows, cols, static_cast<uint16_t>(type), 0};
  return true;
}

}  // namespace anabranch::ref
