#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "tensor/dequantize.h"

namespace anabranch {
namespace {

constexpr uint32_t kF32Infinity = 0x7f800000;

// Free of branches, so that loops over it vectorise.
inline float HalfToFloat(uint16_t bits) {
  const uint32_t magnitude = bits & 0x7fffu;
  const uint32_t rebias = magnitude >= 0x7c00 ? (255 - 31) << 23 : (127 - 15) << 23;
  const float normal = std::bit_cast<float>((magnitude << 13) + rebias);
  const float subnormal = static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f;
  const uint32_t value = std::bit_cast<uint32_t>(magnitude < 0x0400 ? subnormal : normal);
  return std::bit_cast<float>(value | static_cast<uint32_t>(bits & 0x8000u) << 16);
}

inline float BrainToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

template <float (*kConvert)(uint16_t)>
void Load16(const unsigned char* src, std::span<float> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, src + 2 * i, sizeof(bits));
    out[i] = kConvert(bits);
  }
}

template <uint16_t (*kConvert)(float)>
void Store16(std::span<const float> src, unsigned char* out) {
  for (size_t i = 0; i < src.size(); ++i) {
    const uint16_t bits = kConvert(src[i]);
    std::memcpy(out + 2 * i, &bits, sizeof(bits));
  }
}

}  // namespace

float F16ToF32(uint16_t bits) { return HalfToFloat(bits); }

uint16_t F32ToF16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffff;
  uint32_t half;
  if (magnitude > kF32Infinity) {
    half = 0x7e00 | (magnitude >> 13 & 0x3ff);  // a quiet NaN that keeps the payload's top bits
  } else if (magnitude >= std::bit_cast<uint32_t>(65520.0f)) {
    half = 0x7c00;  // half way between the largest F16 and the next power of two, and above
  } else if (magnitude < std::bit_cast<uint32_t>(0x1p-14f)) {
    // Adding 0.5, whose last bit weighs 2^-24, rounds to the grid of F16's subnormal numbers.
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
           std::bit_cast<uint32_t>(0.5f);
  } else {
    const uint32_t ties_to_even = 0xfff + (magnitude >> 13 & 1);
    half = (magnitude + ties_to_even - ((127u - 15u) << 23)) >> 13;
  }
  return static_cast<uint16_t>(half | (bits >> 16 & 0x8000));
}

float Bf16ToF32(uint16_t bits) { return BrainToFloat(bits); }

uint16_t F32ToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > kF32Infinity) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

namespace {

void LoadBlocks(const unsigned char* src, std::span<float> out) {
  for (; !out.empty(); out = out.subspan(kQ8Block), src += DTypeBytes(DType::kQ8, kQ8Block)) {
    float scale;
    std::memcpy(&scale, src, sizeof(scale));
    for (size_t i = 0; i < kQ8Block; ++i) {
      out[i] = scale * static_cast<float>(static_cast<int8_t>(src[sizeof(scale) + i]));
    }
  }
}

void StoreBlocks(std::span<const float> src, unsigned char* out) {
  for (; !src.empty(); src = src.subspan(kQ8Block), out += DTypeBytes(DType::kQ8, kQ8Block)) {
    float max = 0;
    for (const float value : src.first(kQ8Block)) max = std::max(max, std::abs(value));
    const float inverse = max > 0 ? 127.0f / max : 0.0f;
    const float scale = max / 127.0f;
    std::memcpy(out, &scale, sizeof(scale));
    for (size_t i = 0; i < kQ8Block; ++i) {
      out[sizeof(scale) + i] =
          static_cast<unsigned char>(static_cast<int8_t>(std::nearbyint(src[i] * inverse)));
    }
  }
}

}  // namespace

void LoadFloats(DType dtype, const unsigned char* src, std::span<float> out) {
  if (out.empty()) return;
  switch (dtype) {
    case DType::kF32:
      std::memcpy(out.data(), src, out.size_bytes());
      return;
    case DType::kF16:
      return Load16<HalfToFloat>(src, out);
    case DType::kBF16:
      return Load16<BrainToFloat>(src, out);
    case DType::kQ8:
      return LoadBlocks(src, out);
  }
}

void StoreFloats(DType dtype, std::span<const float> src, unsigned char* out) {
  if (src.empty()) return;
  switch (dtype) {
    case DType::kF32:
      std::memcpy(out, src.data(), src.size_bytes());
      return;
    case DType::kF16:
      return Store16<F32ToF16>(src, out);
    case DType::kBF16:
      return Store16<F32ToBf16>(src, out);
    case DType::kQ8:
      return StoreBlocks(src, out);
  }
}

}  // namespace anabranch
