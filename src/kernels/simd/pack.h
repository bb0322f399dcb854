// Weights in tiles of kWidth output rows, so that one vector holds a column of a tile.
//
//   tile t = rows [t * kWidth, (t + 1) * kWidth), rows past the end are zero; tiles follow each
//   other, each rounded up to 64 bytes.
//
//   float types:      | column 0: row 0, row 1, ... | column 1: row 0, ... | ...
//   quantised types:  | quants of block 0 | quants of block 1 | ... | scales | minima (if any)
//     scales, minima: | block 0: row 0, row 1, ... | block 1: ... |      F16 or F32
//     quants, 8 bits: | columns 0-3: row 0 c0 c1 c2 c3, row 1 c0 ... | columns 4-7: ... | ...
//     quants, 4 bits: the same, with the second half of the block's columns in the high nibbles
//     quants, 16 bits: | columns 0-1: row 0 c0 c1, row 1 c0 ... | columns 2-3: ... | ...
//
// A vector of quants is what one dot product instruction wants: 4 (or 2) columns of each row,
// against 4 (or 2) activations broadcast to all lanes.
#pragma once

#include "kernels/simd/unpack.h"

namespace anabranch {
namespace {

// Offsets within a tile of `cols` columns.
struct TileLayout {
  QuantFormat format;
  int64_t n_blocks;
  int64_t quant_bytes;  // of a block
  int64_t scales;       // offset
  int64_t mins;         // offset
  int64_t bytes;        // of the tile
};

constexpr TileLayout LayoutOf(GgufType type, int64_t cols) {
  const QuantFormat f = FormatOf(type);
  TileLayout t{f, 0, 0, 0, 0, 0};
  int64_t end = cols * kWidth * FloatBytes(type);
  if (f.bits != 0) {
    t.n_blocks = cols / f.block;
    t.quant_bytes = static_cast<int64_t>(kWidth) * f.block * f.bits / 8;
    const int64_t scale_bytes = t.n_blocks * kWidth * (f.f16_scales ? 2 : 4);
    t.scales = t.n_blocks * t.quant_bytes;
    t.mins = t.scales + scale_bytes;
    end = t.mins + (f.has_min ? scale_bytes : 0);
  }
  t.bytes = (end + 63) / 64 * 64;
  return t;
}

inline int64_t RawRowBytes(GgufType type, int64_t cols) {
  const QuantFormat f = FormatOf(type);
  return f.bits != 0 ? cols / f.raw_block * f.raw_bytes : cols * FloatBytes(type);
}

inline const char* Products(GgufType type) {
  switch (FormatOf(type).bits) {
    case 4:
      return "4 x 8 bits";
    case 8:
      return "8 x 8 bits";
    default:
      return FloatBytes(type) != 0 ? "floats" : nullptr;
  }
}

// What a matrix of a file's type is packed as.
constexpr GgufType PackedType(GgufType type, int64_t cols, FloatWeights floats) {
  const bool is_int16 =
      floats == FloatWeights::kInt16 && FloatBytes(type) != 0 && cols % FormatOf(kInt16).block == 0;
  return is_int16 ? kInt16 : type;
}

inline size_t PackedBytes(GgufType type, int32_t rows, int32_t cols, FloatWeights floats) {
  const QuantFormat f = FormatOf(type);
  if (rows <= 0 || cols <= 0 || f.bits == 16 || (f.bits == 0 && FloatBytes(type) == 0)) return 0;
  if (f.bits != 0 && cols % f.raw_block != 0) return 0;
  const GgufType packed = PackedType(type, cols, floats);
  return static_cast<size_t>(CeilDiv(rows, kWidth) * LayoutOf(packed, cols).bytes);
}

inline void PutScale(const QuantFormat& f, unsigned char* scales, int64_t index, float value) {
  if (f.f16_scales) {
    const uint16_t bits = _cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT);
    memcpy(scales + 2 * index, &bits, sizeof(bits));
  } else {
    memcpy(scales + 4 * index, &value, sizeof(value));
  }
}

inline float GetScale(const QuantFormat& f, const unsigned char* scales, int64_t index) {
  return f.f16_scales ? F16At(scales + 2 * index) : LoadAs<float>(scales + 4 * index);
}

// One row's raw block into its lane of the tile.
inline void PutBlock(const TileLayout& t, const Unpacked& u, int64_t raw_index, int64_t lane,
                     unsigned char* tile) {
  const QuantFormat& f = t.format;
  const int64_t per_raw = f.raw_block / f.block;
  for (int64_t i = 0; i < per_raw; ++i) {
    const int64_t b = raw_index * per_raw + i;
    PutScale(f, tile + t.scales, b * kWidth + lane, u.scale[i]);
    if (f.has_min) PutScale(f, tile + t.mins, b * kWidth + lane, u.min[i]);
    const unsigned char* q = u.q + i * f.block;
    unsigned char* dst = tile + b * t.quant_bytes + 4 * lane;
    const int64_t used = f.block * f.bits / 8;
    for (int64_t c = 0; c < used; c += 4) {
      uint32_t four = LoadAs<uint32_t>(q + c);
      if (f.bits == 4) four |= LoadAs<uint32_t>(q + used + c) << 4;
      memcpy(dst + c * kWidth, &four, sizeof(four));
    }
  }
}

// A block of floats as int16. What bounds the quants bounds the products with a WideBlock
// (quantize.h): their sum stays within an int32.
inline void RoundToInt16(GgufType type, const unsigned char* p, Unpacked* out) {
  constexpr int kBlock = FormatOf(kInt16).block;
  // Rounding adds a half at most to each magnitude.
  constexpr float kMaxSum = 65535 - kBlock / 2, kMaxQuant = 32767;
  static_assert(65535LL * 32767 <= INT32_MAX && 2 * kBlock <= sizeof(out->q));
  float max = 0, sum = 0;
  for (int i = 0; i < kBlock; ++i) {
    const float magnitude = fabsf(FloatAt(type, p + i * FloatBytes(type)));
    max = max < magnitude ? magnitude : max;
    sum += magnitude;
  }
  const float by_max = max / kMaxQuant, by_sum = sum / kMaxSum;
  const float scale = by_max > by_sum ? by_max : by_sum;
  const float inverse = scale > 0 ? 1 / scale : 0;
  out->scale[0] = scale;
  for (int i = 0; i < kBlock; ++i) {
    const float value = FloatAt(type, p + i * FloatBytes(type)) * inverse;
    const auto q = static_cast<int16_t>(lrintf(value));
    memcpy(out->q + 2 * i, &q, sizeof(q));
  }
}

struct PackJob {
  const unsigned char* raw;
  GgufType type, packed;
  int32_t rows, cols;
  unsigned char* dst;
};

inline void PackTile(const PackJob& job, int64_t tile_index, int) {
  const TileLayout t = LayoutOf(job.packed, job.cols);
  const int64_t row_bytes = RawRowBytes(job.type, job.cols);
  unsigned char* tile = job.dst + tile_index * t.bytes;
  memset(tile, 0, static_cast<size_t>(t.bytes));
  const int64_t n_rows = Min(kWidth, job.rows - tile_index * kWidth);
  for (int64_t lane = 0; lane < n_rows; ++lane) {
    const unsigned char* row = job.raw + (tile_index * kWidth + lane) * row_bytes;
    if (t.format.bits == 0) {
      const int64_t size = FloatBytes(job.type);
      for (int64_t c = 0; c < job.cols; ++c) {
        memcpy(tile + (c * kWidth + lane) * size, row + c * size, static_cast<size_t>(size));
      }
      continue;
    }
    Unpacked u;
    for (int64_t b = 0; b < job.cols / t.format.raw_block; ++b) {
      const unsigned char* block = row + b * t.format.raw_block * row_bytes / job.cols;
      if (job.packed == kInt16) {
        RoundToInt16(job.type, block, &u);
      } else {
        UnpackBlock(job.type, block, &u);
      }
      PutBlock(t, u, b, lane, tile);
    }
  }
}

inline bool Pack(Exec& exec, List<const unsigned char> raw, GgufType type, int32_t rows,
                 int32_t cols, FloatWeights floats, DevPtr dst, Weight* out) {
  const size_t bytes = PackedBytes(type, rows, cols, floats);
  if (bytes == 0 || raw.n != rows * RawRowBytes(type, cols)) return false;
  const PackJob job{raw.data, type, PackedType(type, cols, floats), rows, cols, dst.p};
  Parallel<PackJob, PackTile>(exec, job, CeilDiv(rows, kWidth));
  out->data = dst;
  out->rows = rows;
  out->cols = cols;
  out->format = static_cast<uint16_t>(job.packed);
  out->layout = kWidth;
  return true;
}

inline GgufType TypeOf(const Weight& w) { return static_cast<GgufType>(w.format); }

}  // namespace
}  // namespace anabranch
