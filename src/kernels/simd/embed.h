// embed: rows of a packed weight, back to floats.
#pragma once

#include "kernels/simd/pack.h"

namespace anabranch {
namespace {

struct EmbedJob {
  const Weight& w;
  const int32_t* ids;
  float scale;
  const Mat& out;
};

inline void EmbedRow(const EmbedJob& job, int64_t r, int) {
  const GgufType type = TypeOf(job.w);
  const TileLayout t = LayoutOf(type, job.w.cols);
  const QuantFormat& f = t.format;
  const int64_t lane = job.ids[r] % kWidth;
  const unsigned char* tile = job.w.data.p + job.ids[r] / kWidth * t.bytes;
  float* out = Row(job.out, r);
  if (f.bits == 0) {
    const int64_t size = FloatBytes(type);
    for (int64_t c = 0; c < job.w.cols; ++c) {
      out[c] = job.scale * FloatAt(type, tile + (c * kWidth + lane) * size);
    }
    return;
  }
  const int64_t used = f.bits == 4 ? f.block / 2 : f.block;  // the columns of the low nibbles
  const int64_t bytes = f.bits == 16 ? 2 : 1;
  for (int64_t b = 0; b < t.n_blocks; ++b) {
    const float scale = GetScale(f, tile + t.scales, b * kWidth + lane);
    const float min = f.has_min ? GetScale(f, tile + t.mins, b * kWidth + lane) : 0.0f;
    for (int64_t c = 0; c < f.block; ++c) {
      const int64_t low = c % used;
      const int64_t at = low * bytes;
      const unsigned char* p = tile + b * t.quant_bytes + at / 4 * 4 * kWidth + 4 * lane + at % 4;
      int q = f.bits == 16 ? LoadAs<int16_t>(p) : *p;
      if (f.bits == 4) q = c < used ? q & 15 : q >> 4;
      out[b * f.block + c] = job.scale * (scale * static_cast<float>(q - f.zero) + min);
    }
  }
}

inline void Embed(Exec& exec, const Weight& w, DevPtr ids, float scale, Mat out) {
  const EmbedJob job{w, reinterpret_cast<const int32_t*>(ids.p), scale, out};
  Parallel<EmbedJob, EmbedRow>(exec, job, out.rows);
}

}  // namespace
}  // namespace anabranch
