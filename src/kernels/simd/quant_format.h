// What a quantised GGUF type becomes when packed: unsigned quants of 4 or 8 bits in blocks of 16 or
// 32 columns, w = scale * (q - zero) or w = scale * q + min. Every quantised type fits exactly.
// Floats may become signed quants of 16 bits.
#pragma once

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

struct QuantFormat {
  int bits = 0;   // of a packed quant: 4, 8, or 16 (signed)
  int block = 0;  // columns that share a scale
  int zero = 0;   // subtracted from q, when there is no min
  bool has_min = false;
  bool f16_scales = false;  // the file's scales are F16 themselves; F32 otherwise
  int raw_block = 0;        // columns of a block in the file
  int raw_bytes = 0;        // its bytes
};

// Floats as int16, in blocks that share an F32 scale (pack.h). No type of files.
constexpr GgufType kInt16 = static_cast<GgufType>(0x7FFF);

// bits is 0 for a type that is not quantised.
constexpr QuantFormat FormatOf(GgufType type) {
  if (type == kInt16) return {16, 128, 0, false, false, 128, 0};
  switch (type) {
    case GgufType::kQ4_0:
      return {4, 32, 8, false, true, 32, 18};
    case GgufType::kQ4_1:
      return {4, 32, 0, true, true, 32, 20};
    case GgufType::kQ5_0:
      return {8, 32, 16, false, true, 32, 22};
    case GgufType::kQ5_1:
      return {8, 32, 0, true, true, 32, 24};
    case GgufType::kQ8_0:
      return {8, 32, 128, false, true, 32, 34};
    case GgufType::kQ2_K:
      return {4, 16, 0, true, false, 256, 84};
    case GgufType::kQ3_K:
      return {4, 16, 4, false, false, 256, 110};
    case GgufType::kQ4_K:
      return {4, 32, 0, true, false, 256, 144};
    case GgufType::kQ5_K:
      return {8, 32, 0, true, false, 256, 176};
    case GgufType::kQ6_K:
      return {8, 16, 32, false, false, 256, 210};
    default:
      return {};
  }
}

// Bytes of an element of a type that is not quantised; 0 for an unknown one.
constexpr int FloatBytes(GgufType type) {
  switch (type) {
    case GgufType::kF32:
      return 4;
    case GgufType::kF16:
    case GgufType::kBF16:
      return 2;
    default:
      return 0;
  }
}

}  // namespace
}  // namespace anabranch
