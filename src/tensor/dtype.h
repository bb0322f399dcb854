// Element types of activations and KV, and the block formats of GGUF weights. Plain data.
#pragma once

#include <stdint.h>

namespace anabranch {

// Activations, KV arenas, vectors of memory. kQ8: of KV arenas alone, in blocks of kQ8Block int8
// behind their scale: GGUF's Q8_0 but that the scale is an F32, which all lanes take from memory as
// it is.
enum class DType : uint8_t { kF32, kF16, kBF16, kQ8 };
constexpr int64_t kQ8Block = 32;

// Of n elements; in kQ8 of whole blocks.
constexpr int64_t DTypeBytes(DType dtype, int64_t n) {
  if (dtype == DType::kQ8) return n / kQ8Block * (4 + kQ8Block);
  return n * (dtype == DType::kF32 ? 4 : 2);
}

// A GGUF tensor type; the values are the file format's.
enum class GgufType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

}  // namespace anabranch
