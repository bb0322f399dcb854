// Rotary embedding from 64-bit fixed-point phases: exact at any position.
#pragma once

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

// cos and sin of the angles at position pos, times factor: cs[0, n) and cs[n, 2n), n = rot_dim / 2.
inline void CosSin(const Rope& rope, int64_t pos, float factor, float* __restrict cs) {
  const int64_t n = rope.rot_dim / 2;
  const uint64_t* __restrict inc = reinterpret_cast<const uint64_t*>(rope.inc.p);
  const double scale = static_cast<double>(factor);
  for (int64_t j = 0; j < n; ++j) {
    // The top 32 bits of the phase: 2^-32 turns are 1.5e-9 rad. To the nearest quarter turn and a
    // rest within pi / 4, where these Taylor polynomials are good to 1e-11.
    const uint32_t turn = static_cast<uint32_t>((static_cast<uint64_t>(pos) * inc[j]) >> 32);
    const uint32_t quarter = (turn + 0x20000000u) >> 30;
    const double r = static_cast<double>(static_cast<int32_t>(turn - (quarter << 30))) *
                     (6.283185307179586476925 / 4294967296.0);
    const double r2 = r * r;
    double s = -1.0 / 39916800;
    s = s * r2 + 1.0 / 362880;
    s = s * r2 - 1.0 / 5040;
    s = s * r2 + 1.0 / 120;
    s = s * r2 - 1.0 / 6;
    s = s * r2 * r + r;
    double c = 1.0 / 479001600;
    c = c * r2 - 1.0 / 3628800;
    c = c * r2 + 1.0 / 40320;
    c = c * r2 - 1.0 / 720;
    c = c * r2 + 1.0 / 24;
    c = c * r2 - 0.5;
    c = c * r2 + 1.0;
    const bool odd = (quarter & 1) != 0;
    const double cosine = odd ? s : c, sine = odd ? c : s;
    cs[j] = static_cast<float>(scale * (quarter == 1 || quarter == 2 ? -cosine : cosine));
    cs[n + j] = static_cast<float>(scale * (quarter >= 2 ? -sine : sine));
  }
}

// One head: the first rot_dim elements rotated by cs, the others times `rest`.
inline void Rotate(const Rope& rope, int32_t head_dim, const float* cs, float rest,
                   const float* __restrict x, float* __restrict out) {
  const int64_t n = rope.rot_dim / 2;
  if (rope.interleaved) {
    for (int64_t j = 0; j < n; ++j) {
      const float a = x[2 * j], b = x[2 * j + 1];
      out[2 * j] = a * cs[j] - b * cs[n + j];
      out[2 * j + 1] = b * cs[j] + a * cs[n + j];
    }
  } else {
    for (int64_t j = 0; j < n; ++j) {
      const float a = x[j], b = x[n + j];
      out[j] = a * cs[j] - b * cs[n + j];
      out[n + j] = b * cs[j] + a * cs[n + j];
    }
  }
  for (int64_t j = rope.rot_dim; j < head_dim; ++j) out[j] = rest * x[j];
}

}  // namespace
}  // namespace anabranch
