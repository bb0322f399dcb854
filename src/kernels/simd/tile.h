// One tile of weights (pack.h) times a few rows of activations: the inner loops of matmul.
#pragma once

#include "kernels/simd/pack.h"
#include "kernels/simd/quantize.h"

namespace anabranch {
namespace {

// out[r * kWidth + lane] = row r . weight row `lane`, for the kernel's number of rows. x: the first
// row's XBlock or WideBlock of a group (quantised weights), or its floats, `stride` apart from row
// to row.
using TileFn = void (*)(const unsigned char* tile, int64_t cols, const void* x, int64_t stride,
                        float* out);

template <bool kF16>
inline VecF LoadScales(const unsigned char* scales, int64_t block) {
  if constexpr (kF16) {
    return LoadF16(scales + 2 * kWidth * block);
  } else {
    return Load(reinterpret_cast<const float*>(scales) + kWidth * block);
  }
}

template <GgufType kType, int kRows>
void QuantTile(const unsigned char* tile, int64_t cols, const void* x, int64_t, float* out) {
  constexpr QuantFormat f = FormatOf(kType);
  static_assert(f.block <= 32);
  constexpr int kHalf = f.block / 2;        // columns before those in the high nibbles
  constexpr int kPerXBlock = 32 / f.block;  // weight blocks of an activation block
  const TileLayout t = LayoutOf(kType, cols);
  const VecF zero = Set1(static_cast<float>(-f.zero));
  VecF acc[kRows];
  for (int r = 0; r < kRows; ++r) acc[r] = Zero();
  for (int64_t b = 0; b < t.n_blocks; ++b) {
    const unsigned char* quants = tile + b * t.quant_bytes;
    const XBlock* xb = static_cast<const XBlock*>(x) + b / kPerXBlock * kRowGroup;
    const int64_t half = b % kPerXBlock;
    BlockDot<f.bits> dots[kRows];
    for (int c = 0; c < f.block * f.bits / 8; c += 4) {
      const unsigned char* at = quants + kWidth * c;
      if constexpr (kRows == 1) ReadAhead(at);
      const VecI w = LoadBytes(at);
      const VecI low = f.bits == 4 ? LowNibbles(w) : w;
      for (int r = 0; r < kRows; ++r) dots[r].Add(low, xb[r].q + 16 * half + c);
      if constexpr (f.bits == 4) {
        const VecI high = HighNibbles(w);
        for (int r = 0; r < kRows; ++r) dots[r].Add(high, xb[r].q + 16 * half + kHalf + c);
      }
    }
    const VecF scale = LoadScales<f.f16_scales>(tile + t.scales, b);
    const VecF min = f.has_min ? LoadScales<f.f16_scales>(tile + t.mins, b) : Zero();
    for (int r = 0; r < kRows; ++r) {
      const VecF sum = Set1(kPerXBlock == 1 ? xb[r].sum : xb[r].half_sum[half]);
      VecF dot = ToFloat(dots[r].Total());
      if constexpr (f.has_min) {
        dot = Fma(min, sum, Mul(dot, scale));
      } else {
        dot = Mul(Fma(zero, sum, dot), scale);  // the sum is exact: integers below 2^24
      }
      acc[r] = Fma(dot, Set1(xb[r].scale), acc[r]);
    }
  }
  for (int r = 0; r < kRows; ++r) Store(out + r * kWidth, acc[r]);
}

template <int kRows>
void WideTile(const unsigned char* tile, int64_t cols, const void* x, int64_t, float* out) {
  constexpr QuantFormat f = FormatOf(kInt16);
  const TileLayout t = LayoutOf(kInt16, cols);
  VecF acc[kRows];
  for (int r = 0; r < kRows; ++r) acc[r] = Zero();
  for (int64_t b = 0; b < t.n_blocks; ++b) {
    const unsigned char* quants = tile + b * t.quant_bytes;
    const WideBlock* xb = static_cast<const WideBlock*>(x) + b * kRowGroup;
    // Two sums a row: 8 rows' products in turn do not cover the latency of one.
    PairDot even[kRows], odd[kRows];
    for (int c = 0; c < f.block; c += 4) {
      const VecI w0 = LoadBytes(quants + 2 * kWidth * c);
      for (int r = 0; r < kRows; ++r) even[r].Add(w0, xb[r].q + c);
      const VecI w1 = LoadBytes(quants + 2 * kWidth * (c + 2));
      for (int r = 0; r < kRows; ++r) odd[r].Add(w1, xb[r].q + c + 2);
    }
    const VecF scale = LoadScales<f.f16_scales>(tile + t.scales, b);
    for (int r = 0; r < kRows; ++r) {
      const VecI dot = AddI(even[r].Total(), odd[r].Total());
      acc[r] = Fma(Mul(ToFloat(dot), scale), Set1(xb[r].scale), acc[r]);
    }
  }
  for (int r = 0; r < kRows; ++r) Store(out + r * kWidth, acc[r]);
}

template <GgufType kType, int kRows>
void FloatTile(const unsigned char* tile, int64_t cols, const void* x, int64_t stride, float* out) {
  const float* rows[kRows];
  VecF acc[kRows];
  for (int r = 0; r < kRows; ++r) {
    rows[r] = static_cast<const float*>(x) + r * stride;
    acc[r] = Zero();
  }
  for (int64_t c = 0; c < cols; ++c) {
    const unsigned char* p = tile + c * kWidth * FloatBytes(kType);
    VecF w;
    if constexpr (kType == GgufType::kF32) {
      w = Held(Load(reinterpret_cast<const float*>(p)));
    } else if constexpr (kType == GgufType::kF16) {
      w = LoadF16(p);
    } else {
      w = LoadBf16(p);
    }
    for (int r = 0; r < kRows; ++r) acc[r] = Fma(w, Set1(rows[r][c]), acc[r]);
  }
  for (int r = 0; r < kRows; ++r) Store(out + r * kWidth, acc[r]);
}

template <int kRows>
inline TileFn TileOf(GgufType type) {
  constexpr int kQ = kRows < kQuantRows ? kRows : kQuantRows;
  if (type == kInt16) return WideTile<kQ>;
  switch (type) {
    case GgufType::kF32:
      return FloatTile<GgufType::kF32, kRows>;
    case GgufType::kF16:
      return FloatTile<GgufType::kF16, kRows>;
    case GgufType::kBF16:
      return FloatTile<GgufType::kBF16, kRows>;
    case GgufType::kQ4_0:
      return QuantTile<GgufType::kQ4_0, kQ>;
    case GgufType::kQ4_1:
      return QuantTile<GgufType::kQ4_1, kQ>;
    case GgufType::kQ5_0:
      return QuantTile<GgufType::kQ5_0, kQ>;
    case GgufType::kQ5_1:
      return QuantTile<GgufType::kQ5_1, kQ>;
    case GgufType::kQ8_0:
      return QuantTile<GgufType::kQ8_0, kQ>;
    case GgufType::kQ2_K:
      return QuantTile<GgufType::kQ2_K, kQ>;
    case GgufType::kQ3_K:
      return QuantTile<GgufType::kQ3_K, kQ>;
    case GgufType::kQ4_K:
      return QuantTile<GgufType::kQ4_K, kQ>;
    case GgufType::kQ5_K:
      return QuantTile<GgufType::kQ5_K, kQ>;
    case GgufType::kQ6_K:
      return QuantTile<GgufType::kQ6_K, kQ>;
  }
  return nullptr;
}

// The activations of a matmul, for the weights that are quantised: one of them, or none.
struct QuantizedX {
  const XBlock* bytes = nullptr;
  const WideBlock* wide = nullptr;
};

// Tile `tile_index` of w times rows [row, row + n) of x, n <= kRowGroup, row a multiple of it.
// quantized: x by Quantize, as w wants it. out[r * kWidth + lane].
inline void TileTimesRows(const Weight& w, int64_t tile_index, const Mat& x,
                          const QuantizedX& quantized, int64_t row, int64_t n, float* out) {
  const GgufType type = TypeOf(w);
  const int bits = FormatOf(type).bits;
  const unsigned char* tile = w.data.p + tile_index * LayoutOf(type, w.cols).bytes;
  const int64_t most = bits != 0 ? kQuantRows : kRowGroup;
  for (int64_t r = 0; r < n;) {
    const int64_t left = Min(n - r, most);
    const int64_t step = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const TileFn fn = step == 8   ? TileOf<8>(type)
                      : step == 4 ? TileOf<4>(type)
                      : step == 2 ? TileOf<2>(type)
                                  : TileOf<1>(type);
    const void* from = Row(x, row + r);
    if (bits == 16) {
      from = quantized.wide + row * (w.cols / ColumnsOf<WideBlock>()) + r;
    } else if (bits != 0) {
      from = quantized.bytes + row * (w.cols / ColumnsOf<XBlock>()) + r;
    }
    fn(tile, w.cols, from, x.stride, out + r * kWidth);
    r += step;
  }
}

}  // namespace
}  // namespace anabranch
