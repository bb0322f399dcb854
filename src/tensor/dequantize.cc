#include "tensor/dequantize.h"

#include "base/check.h"

namespace anabranch {
namespace {

// The blocks as they stand in a file: bytes alone, so that they have no padding and no alignment.
// Two bytes make an F16. Within a block, low bits come before high ones.
struct F16Bytes {
  uint8_t bytes[2];
  float value() const {
    return F16ToF32(static_cast<uint16_t>(bytes[0] | static_cast<unsigned>(bytes[1]) << 8));
  }
};

struct BlockQ4_0 {
  static constexpr int kSize = 32;
  F16Bytes d;
  uint8_t qs[16];
};

struct BlockQ4_1 {
  static constexpr int kSize = 32;
  F16Bytes d, m;
  uint8_t qs[16];
};

struct BlockQ5_0 {
  static constexpr int kSize = 32;
  F16Bytes d;
  uint8_t qh[4];
  uint8_t qs[16];
};

struct BlockQ5_1 {
  static constexpr int kSize = 32;
  F16Bytes d, m;
  uint8_t qh[4];
  uint8_t qs[16];
};

struct BlockQ8_0 {
  static constexpr int kSize = 32;
  F16Bytes d;
  int8_t qs[32];
};

struct BlockQ2K {
  static constexpr int kSize = 256;
  uint8_t scales[16];  // per 16 elements: scale in the low nibble, minimum in the high one
  uint8_t qs[64];
  F16Bytes d, dmin;
};

struct BlockQ3K {
  static constexpr int kSize = 256;
  uint8_t hmask[32];
  uint8_t qs[64];
  uint8_t scales[12];  // 16 of 6 bits
  F16Bytes d;
};

struct BlockQ4K {
  static constexpr int kSize = 256;
  F16Bytes d, dmin;
  uint8_t scales[12];  // 8 scales and 8 minima of 6 bits
  uint8_t qs[128];
};

struct BlockQ5K {
  static constexpr int kSize = 256;
  F16Bytes d, dmin;
  uint8_t scales[12];  // as in Q4_K
  uint8_t qh[32];
  uint8_t qs[128];
};

struct BlockQ6K {
  static constexpr int kSize = 256;
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  F16Bytes d;
};

void Decode(const BlockQ4_0& b, float* out) {
  const float d = b.d.value();
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>((b.qs[j] & 15) - 8) * d;
    out[j + 16] = static_cast<float>((b.qs[j] >> 4) - 8) * d;
  }
}

void Decode(const BlockQ4_1& b, float* out) {
  const float d = b.d.value(), m = b.m.value();
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>(b.qs[j] & 15) * d + m;
    out[j + 16] = static_cast<float>(b.qs[j] >> 4) * d + m;
  }
}

// Element j's bit 4 is bit j of qh.
int FifthBit(const uint8_t (&qh)[4], int j) { return (qh[j / 8] >> (j % 8) & 1) << 4; }

void Decode(const BlockQ5_0& b, float* out) {
  const float d = b.d.value();
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>(((b.qs[j] & 15) | FifthBit(b.qh, j)) - 16) * d;
    out[j + 16] = static_cast<float>(((b.qs[j] >> 4) | FifthBit(b.qh, j + 16)) - 16) * d;
  }
}

void Decode(const BlockQ5_1& b, float* out) {
  const float d = b.d.value(), m = b.m.value();
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>((b.qs[j] & 15) | FifthBit(b.qh, j)) * d + m;
    out[j + 16] = static_cast<float>((b.qs[j] >> 4) | FifthBit(b.qh, j + 16)) * d + m;
  }
}

void Decode(const BlockQ8_0& b, float* out) {
  const float d = b.d.value();
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(b.qs[j]) * d;
}

void Decode(const BlockQ2K& b, float* out) {
  const float d = b.d.value(), dmin = b.dmin.value();
  for (int group = 0; group < 16; ++group) {  // of 16 elements
    const float scale = d * static_cast<float>(b.scales[group] & 15);
    const float min = dmin * static_cast<float>(b.scales[group] >> 4);
    const uint8_t* q = b.qs + group / 8 * 32 + group % 2 * 16;
    const int shift = group % 8 / 2 * 2;
    for (int j = 0; j < 16; ++j) {
      out[group * 16 + j] = scale * static_cast<float>(q[j] >> shift & 3) - min;
    }
  }
}

void Decode(const BlockQ3K& b, float* out) {
  const float d = b.d.value();
  for (int group = 0; group < 16; ++group) {  // of 16 elements
    const int low = group < 8 ? b.scales[group] & 15 : b.scales[group - 8] >> 4;
    const int high = b.scales[8 + group % 4] >> (group / 4 * 2) & 3;
    const float scale = d * static_cast<float>((low | high << 4) - 32);
    const int half = group % 2 * 16;
    const uint8_t* q = b.qs + group / 8 * 32 + half;
    const uint8_t* h = b.hmask + half;
    const int shift = group % 8 / 2 * 2;
    for (int j = 0; j < 16; ++j) {
      const int third_bit = h[j] >> (group / 2) & 1;  // set: nothing is subtracted
      const int value = (q[j] >> shift & 3) - (third_bit ? 0 : 4);
      out[group * 16 + j] = scale * static_cast<float>(value);
    }
  }
}

// Scale and minimum of group j of 32 elements in Q4_K and Q5_K, 6 bits each.
struct ScaleMin {
  int scale, min;
};

ScaleMin ScaleMinOf(const uint8_t (&s)[12], int j) {
  if (j < 4) return {s[j] & 63, s[j + 4] & 63};
  return {(s[j + 4] & 15) | s[j - 4] >> 6 << 4, s[j + 4] >> 4 | s[j] >> 6 << 4};
}

void Decode(const BlockQ4K& b, float* out) {
  const float d = b.d.value(), dmin = b.dmin.value();
  for (int group = 0; group < 8; ++group) {  // of 32 elements
    const ScaleMin sm = ScaleMinOf(b.scales, group);
    const float scale = d * static_cast<float>(sm.scale), min = dmin * static_cast<float>(sm.min);
    const uint8_t* q = b.qs + group / 2 * 32;
    const int shift = group % 2 * 4;
    for (int j = 0; j < 32; ++j) {
      out[group * 32 + j] = scale * static_cast<float>(q[j] >> shift & 15) - min;
    }
  }
}

void Decode(const BlockQ5K& b, float* out) {
  const float d = b.d.value(), dmin = b.dmin.value();
  for (int group = 0; group < 8; ++group) {  // of 32 elements
    const ScaleMin sm = ScaleMinOf(b.scales, group);
    const float scale = d * static_cast<float>(sm.scale), min = dmin * static_cast<float>(sm.min);
    const uint8_t* q = b.qs + group / 2 * 32;
    const int shift = group % 2 * 4;
    for (int j = 0; j < 32; ++j) {
      const int value = (q[j] >> shift & 15) | (b.qh[j] >> group & 1) << 4;
      out[group * 32 + j] = scale * static_cast<float>(value) - min;
    }
  }
}

void Decode(const BlockQ6K& b, float* out) {
  const float d = b.d.value();
  for (int group = 0; group < 8; ++group) {  // of 32 elements, in two halves with a scale each
    const uint8_t* ql = b.ql + group / 4 * 64 + group % 2 * 32;
    const uint8_t* qh = b.qh + group / 4 * 32;
    const int low_shift = group % 4 / 2 * 4, high_shift = group % 4 * 2;
    for (int j = 0; j < 32; ++j) {
      const int value = ((ql[j] >> low_shift & 15) | (qh[j] >> high_shift & 3) << 4) - 32;
      const float scale = d * static_cast<float>(b.scales[group * 2 + j / 16]);
      out[group * 32 + j] = scale * static_cast<float>(value);
    }
  }
}

template <typename Block>
void DecodeAll(std::span<const std::byte> src, std::span<float> out) {
  static_assert(alignof(Block) == 1);
  const auto* blocks = reinterpret_cast<const Block*>(src.data());
  for (size_t i = 0; i < out.size() / Block::kSize; ++i) {
    Decode(blocks[i], out.data() + i * Block::kSize);
  }
}

struct TypeInfo {
  const char* name;
  int64_t block_size, block_bytes;
  void (*decode)(std::span<const std::byte>, std::span<float>);
};

template <typename Block>
constexpr TypeInfo QuantInfo(const char* name) {
  return {name, Block::kSize, sizeof(Block), DecodeAll<Block>};
}

template <DType kType>
void DecodeFloats(std::span<const std::byte> src, std::span<float> out) {
  LoadFloats(kType, reinterpret_cast<const unsigned char*>(src.data()), out);
}

// name is null for a type that is not known.
TypeInfo InfoOf(uint32_t type) {
  switch (static_cast<GgufType>(type)) {
    case GgufType::kF32:
      return {"F32", 1, 4, DecodeFloats<DType::kF32>};
    case GgufType::kF16:
      return {"F16", 1, 2, DecodeFloats<DType::kF16>};
    case GgufType::kBF16:
      return {"BF16", 1, 2, DecodeFloats<DType::kBF16>};
    case GgufType::kQ4_0:
      return QuantInfo<BlockQ4_0>("Q4_0");
    case GgufType::kQ4_1:
      return QuantInfo<BlockQ4_1>("Q4_1");
    case GgufType::kQ5_0:
      return QuantInfo<BlockQ5_0>("Q5_0");
    case GgufType::kQ5_1:
      return QuantInfo<BlockQ5_1>("Q5_1");
    case GgufType::kQ8_0:
      return QuantInfo<BlockQ8_0>("Q8_0");
    case GgufType::kQ2_K:
      return QuantInfo<BlockQ2K>("Q2_K");
    case GgufType::kQ3_K:
      return QuantInfo<BlockQ3K>("Q3_K");
    case GgufType::kQ4_K:
      return QuantInfo<BlockQ4K>("Q4_K");
    case GgufType::kQ5_K:
      return QuantInfo<BlockQ5K>("Q5_K");
    case GgufType::kQ6_K:
      return QuantInfo<BlockQ6K>("Q6_K");
  }
  return {nullptr, 0, 0, nullptr};
}

TypeInfo InfoOf(GgufType type) {
  const TypeInfo info = InfoOf(static_cast<uint32_t>(type));
  ANABRANCH_CHECK(info.name != nullptr);
  return info;
}

}  // namespace

bool IsKnownGgufType(uint32_t type) { return InfoOf(type).name != nullptr; }
const char* GgufTypeName(GgufType type) { return InfoOf(type).name; }
int64_t GgufBlockSize(GgufType type) { return InfoOf(type).block_size; }
int64_t GgufBlockBytes(GgufType type) { return InfoOf(type).block_bytes; }

void Dequantize(GgufType type, std::span<const std::byte> src, std::span<float> out) {
  const TypeInfo info = InfoOf(type);
  const auto block_size = static_cast<size_t>(info.block_size);
  ANABRANCH_CHECK(out.size() % block_size == 0);
  ANABRANCH_CHECK(src.size() == out.size() / block_size * static_cast<size_t>(info.block_bytes));
  info.decode(src, out);
}

}  // namespace anabranch
