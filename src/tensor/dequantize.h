// GGUF weight formats to F32, exactly as the formats say; and the 16-bit float conversions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace anabranch {

float F16ToF32(uint16_t bits);
uint16_t F32ToF16(float value);  // round to nearest even
float Bf16ToF32(uint16_t bits);
uint16_t F32ToBf16(float value);  // round to nearest even

// out.size() elements of dtype at src (any alignment) to F32, and src.size() floats to dtype: of
// kQ8 whole blocks, with the largest magnitude as 127.
void LoadFloats(DType dtype, const unsigned char* src, std::span<float> out);
void StoreFloats(DType dtype, std::span<const float> src, unsigned char* out);

bool IsKnownGgufType(uint32_t type);
const char* GgufTypeName(GgufType type);
int64_t GgufBlockSize(GgufType type);   // elements per block
int64_t GgufBlockBytes(GgufType type);  // bytes per block

// out.size() elements; a multiple of the block size, and src of exactly the matching bytes.
void Dequantize(GgufType type, std::span<const std::byte> src, std::span<float> out);

}  // namespace anabranch
