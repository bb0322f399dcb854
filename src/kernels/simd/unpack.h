// The raw blocks of quantised GGUF types as one plain form: unsigned quants, scales and minima
// (quant_format.h). The bit layouts are those of the GGUF types in ggml-common.h.
#pragma once

#include "kernels/simd/common.h"
#include "kernels/simd/quant_format.h"

namespace anabranch {
namespace {

// raw_block columns of one row, q in bytes or int16. scale and min: one per FormatOf(type).block
// columns.
struct Unpacked {
  uint8_t q[256];
  float scale[16];
  float min[16];
};

inline float F16At(const unsigned char* p) { return _cvtsh_ss(LoadAs<uint16_t>(p)); }

// An element of a type that is not quantised.
inline float FloatAt(GgufType type, const unsigned char* p) {
  switch (type) {
    case GgufType::kF16:
      return F16At(p);
    case GgufType::kBF16: {
      const uint32_t bits = static_cast<uint32_t>(LoadAs<uint16_t>(p)) << 16;
      float value;
      memcpy(&value, &bits, sizeof(value));
      return value;
    }
    default:
      return LoadAs<float>(p);
  }
}

// Quant j < 16 is the low nibble of byte j, quant 16 + j the high one; bit j of `fifth` is quant
// j's bit 4.
inline void UnpackNibbles(const unsigned char* qs, uint32_t fifth, uint8_t* q) {
  for (int j = 0; j < 16; ++j) {
    q[j] = static_cast<uint8_t>((qs[j] & 15) | ((fifth >> j & 1) << 4));
    q[j + 16] = static_cast<uint8_t>((qs[j] >> 4) | ((fifth >> (j + 16) & 1) << 4));
  }
}

inline void UnpackQ2K(const unsigned char* p, Unpacked* out) {
  const unsigned char* qs = p + 16;
  const float d = F16At(p + 80), dmin = F16At(p + 82);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, plane = i / 32 % 4;
    out->q[i] = static_cast<uint8_t>(qs[32 * half + i % 32] >> (2 * plane) & 3);
  }
  for (int i = 0; i < 16; ++i) {
    out->scale[i] = d * static_cast<float>(p[i] & 15);
    out->min[i] = -dmin * static_cast<float>(p[i] >> 4);
  }
}

inline void UnpackQ3K(const unsigned char* p, Unpacked* out) {
  const unsigned char *high = p, *qs = p + 32, *scales = p + 96;
  const float d = F16At(p + 108);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, plane = i / 32 % 4, l = i % 32;
    const int low = qs[32 * half + l] >> (2 * plane) & 3;
    out->q[i] = static_cast<uint8_t>(low | (high[l] >> (4 * half + plane) & 1) << 2);
  }
  for (int i = 0; i < 16; ++i) {
    const int low = i < 8 ? scales[i] & 15 : scales[i - 8] >> 4;
    const int scale = low | (scales[8 + i % 4] >> (2 * (i / 4)) & 3) << 4;
    out->scale[i] = d * static_cast<float>(scale - 32);
  }
}

// The 6-bit scales and minima that Q4_K and Q5_K share.
inline void UnpackScalesK(const unsigned char* p, Unpacked* out) {
  const float d = F16At(p), dmin = F16At(p + 2);
  const unsigned char* s = p + 4;
  for (int j = 0; j < 8; ++j) {
    const int scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
    const int min = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | (s[j] >> 6) << 4;
    out->scale[j] = d * static_cast<float>(scale);
    out->min[j] = -dmin * static_cast<float>(min);
  }
}

// high: 32 bytes of fifth bits (Q5_K), or null (Q4_K).
inline void UnpackQ45K(const unsigned char* qs, const unsigned char* high, Unpacked* out) {
  for (int i = 0; i < 256; ++i) {
    const int byte = qs[32 * (i / 64) + i % 32];
    const int nibble = i / 32 % 2 != 0 ? byte >> 4 : byte & 15;
    const int fifth = high != nullptr ? high[i % 32] >> (i / 32) & 1 : 0;
    out->q[i] = static_cast<uint8_t>(nibble | fifth << 4);
  }
}

inline void UnpackQ6K(const unsigned char* p, Unpacked* out) {
  const unsigned char *low = p, *high = p + 128, *scales = p + 192;
  const float d = F16At(p + 208);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, quarter = i / 32 % 4, l = i % 32;
    const int byte = low[64 * half + 32 * (quarter % 2) + l];
    const int nibble = quarter < 2 ? byte & 15 : byte >> 4;
    const int top = high[32 * half + l] >> (2 * quarter) & 3;
    out->q[i] = static_cast<uint8_t>(nibble | top << 4);
  }
  for (int i = 0; i < 16; ++i) {
    out->scale[i] = d * static_cast<float>(static_cast<int8_t>(scales[i]));
  }
}

inline void UnpackBlock(GgufType type, const unsigned char* p, Unpacked* out) {
  switch (type) {
    case GgufType::kQ4_0:
      out->scale[0] = F16At(p);
      return UnpackNibbles(p + 2, 0, out->q);
    case GgufType::kQ4_1:
      out->scale[0] = F16At(p);
      out->min[0] = F16At(p + 2);
      return UnpackNibbles(p + 4, 0, out->q);
    case GgufType::kQ5_0:
      out->scale[0] = F16At(p);
      return UnpackNibbles(p + 6, LoadAs<uint32_t>(p + 2), out->q);
    case GgufType::kQ5_1:
      out->scale[0] = F16At(p);
      out->min[0] = F16At(p + 2);
      return UnpackNibbles(p + 8, LoadAs<uint32_t>(p + 4), out->q);
    case GgufType::kQ8_0:
      out->scale[0] = F16At(p);
      for (int j = 0; j < 32; ++j) out->q[j] = static_cast<uint8_t>(p[2 + j] ^ 128);
      return;
    case GgufType::kQ2_K:
      return UnpackQ2K(p, out);
    case GgufType::kQ3_K:
      return UnpackQ3K(p, out);
    case GgufType::kQ4_K:
      UnpackScalesK(p, out);
      return UnpackQ45K(p + 16, nullptr, out);
    case GgufType::kQ5_K:
      UnpackScalesK(p, out);
      return UnpackQ45K(p + 48, p + 16, out);
    case GgufType::kQ6_K:
      return UnpackQ6K(p, out);
    default:
      return;
  }
}

}  // namespace
}  // namespace anabranch
