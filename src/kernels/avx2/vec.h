// The vector of 8 floats that kernels/simd is written over, in AVX2 with FMA and F16C.
#pragma once

#include <immintrin.h>

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

constexpr int kWidth = 8;  // floats of a vector
using VecF = __m256;
using VecI = __m256i;  // 8 int32, or 32 bytes

inline VecF Zero() { return _mm256_setzero_ps(); }
inline VecF Set1(float v) { return _mm256_set1_ps(v); }
inline VecF Load(const float* p) { return _mm256_loadu_ps(p); }
// v, in a register from here on: GCC would repeat a load at every use, and loads are scarcer than
// registers.
inline VecF Held(VecF v) {
  __asm__("" : "+x"(v));
  return v;
}
inline VecI Held(VecI v) {
  __asm__("" : "+x"(v));
  return v;
}
inline void Store(float* p, VecF v) { _mm256_storeu_ps(p, v); }
inline VecI Lanes() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
// The first n lanes, 0 <= n <= kWidth; the others are zero, and their memory is not touched.
inline VecI FirstLanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), Lanes());
}
inline VecF LoadPartial(const float* p, int64_t n) { return _mm256_maskload_ps(p, FirstLanes(n)); }
inline void StorePartial(float* p, int64_t n, VecF v) { _mm256_maskstore_ps(p, FirstLanes(n), v); }

inline VecF Add(VecF a, VecF b) { return _mm256_add_ps(a, b); }
inline VecF Sub(VecF a, VecF b) { return _mm256_sub_ps(a, b); }
inline VecF Mul(VecF a, VecF b) { return _mm256_mul_ps(a, b); }
inline VecF Div(VecF a, VecF b) { return _mm256_div_ps(a, b); }
inline VecF Max(VecF a, VecF b) { return _mm256_max_ps(a, b); }
inline VecF Min(VecF a, VecF b) { return _mm256_min_ps(a, b); }
inline VecF Abs(VecF a) { return _mm256_andnot_ps(Set1(-0.0f), a); }
inline VecF Fma(VecF a, VecF b, VecF c) { return _mm256_fmadd_ps(a, b, c); }
inline float Sum(VecF v) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
inline float MaxOf(VecF v) {
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}
inline bool AnyAbove(VecF v, float limit) {
  return _mm256_movemask_ps(_mm256_cmp_ps(v, Set1(limit), _CMP_GT_OQ)) != 0;
}

// magnitude with the sign of `sign`.
inline VecF CopySign(VecF magnitude, VecF sign) {
  const VecF bit = Set1(-0.0f);
  return _mm256_or_ps(_mm256_and_ps(bit, sign), _mm256_andnot_ps(bit, magnitude));
}

// Lanes [lo, hi) of v, `fill` elsewhere; lo and hi may lie outside [0, kWidth].
inline VecF KeepRange(VecF v, int64_t lo, int64_t hi, float fill) {
  const VecI below = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(lo)), Lanes());
  const VecI keep = _mm256_andnot_si256(
      below, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(hi)), Lanes()));
  return _mm256_blendv_ps(Set1(fill), v, _mm256_castsi256_ps(keep));
}

inline VecF RoundNearest(VecF v) {
  return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// p * 2^n, n integral in [-252, 252]: in two steps, because the factor alone may be denormal.
inline VecF ScaleByPowerOf2(VecF p, VecF n) {
  const VecI all = _mm256_cvtps_epi32(n);
  const VecI half = _mm256_srai_epi32(all, 1);
  const VecI bias = _mm256_set1_epi32(127);
  const VecI a = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const VecI b = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(all, half), bias), 23);
  return Mul(Mul(p, _mm256_castsi256_ps(a)), _mm256_castsi256_ps(b));
}
constexpr float kMinExp = -104.0f, kMaxExp = 89.0f;  // exp of less is 0, of more infinity

inline VecF LoadF16(const void* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
inline void StoreF16(void* p, VecF v) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline VecF LoadBf16(const void* p) {
  const __m128i bits = _mm_loadu_si128(static_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
// 8 int32 to 8 int16, with unsigned saturation.
inline __m128i Narrow16(VecI v) {
  return _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}
inline void StoreBf16(void* p, VecF v) {  // to nearest even
  const VecI bits = _mm256_castps_si256(v);
  const VecI odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const VecI up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  _mm_storeu_si128(static_cast<__m128i*>(p), Narrow16(_mm256_srli_epi32(up, 16)));
}
// Lanes rounded to the nearest int8; they must lie within its range.
inline void StoreI8(int8_t* p, VecF v) {
  const VecI i = _mm256_cvtps_epi32(v);
  const __m128i i16 = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(i16, i16));
}

inline VecF LoadI8(const int8_t* p) {
  return _mm256_cvtepi32_ps(
      _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
// Lanes rounded to the nearest int16; they must lie within its range.
inline void StoreI16(int16_t* p, VecF v) {
  const VecI i = _mm256_cvtps_epi32(v);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1)));
}

// v[i] lane j <-> v[j] lane i.
inline void Transpose(VecF (&v)[kWidth]) {
  VecF t[kWidth];
  for (int i = 0; i < 8; i += 4) {
    const VecF a = _mm256_unpacklo_ps(v[i], v[i + 1]), b = _mm256_unpackhi_ps(v[i], v[i + 1]);
    const VecF c = _mm256_unpacklo_ps(v[i + 2], v[i + 3]);
    const VecF d = _mm256_unpackhi_ps(v[i + 2], v[i + 3]);
    t[i] = _mm256_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps(a, c, 0xEE);
    t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps(b, d, 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}

// Lane i: Sum(v[i]).
inline VecF SumEach(const VecF (&v)[kWidth]) {
  VecF fours[2];  // of v[4 * i] to v[4 * i + 3], one each in either half
  for (int i = 0; i < 2; ++i) {
    const VecF a =
        Add(_mm256_unpacklo_ps(v[4 * i], v[4 * i + 1]), _mm256_unpackhi_ps(v[4 * i], v[4 * i + 1]));
    const VecF b = Add(_mm256_unpacklo_ps(v[4 * i + 2], v[4 * i + 3]),
                       _mm256_unpackhi_ps(v[4 * i + 2], v[4 * i + 3]));
    fours[i] = Add(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xEE));
  }
  return Add(_mm256_permute2f128_ps(fours[0], fours[1], 0x20),
             _mm256_permute2f128_ps(fours[0], fours[1], 0x31));
}

inline VecI LoadBytes(const unsigned char* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline VecI LowNibbles(VecI v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
inline VecI HighNibbles(VecI v) {
  return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}
inline VecF ToFloat(VecI v) { return _mm256_cvtepi32_ps(v); }

// The dot products of a block of weights with a row of activations, in kBits of 4 or 8. Pairs of
// nibble products are at most 2 * 15 * 127, so that 8 of them add up in an int16: a block has at
// most 32 columns. 8-bit weights are two such planes.
template <int kBits>
class BlockDot {
 public:
  // Adds 4 columns: byte 4 * lane + c of w, unsigned, is the weight of output `lane`; x[4].
  void Add(VecI w, const int8_t* x) {
    int32_t x4;
    memcpy(&x4, x, sizeof(x4));
    const VecI xv = _mm256_set1_epi32(x4);
    if constexpr (kBits == 4) {
      low_ = _mm256_add_epi16(low_, _mm256_maddubs_epi16(w, xv));
    } else {
      low_ = _mm256_add_epi16(low_, _mm256_maddubs_epi16(LowNibbles(w), xv));
      high_ = _mm256_add_epi16(high_, _mm256_maddubs_epi16(HighNibbles(w), xv));
    }
    // GCC would sum all products up at the end of a block, from memory.
    __asm__("" : "+x"(low_));
    if constexpr (kBits == 8) __asm__("" : "+x"(high_));
  }
  VecI Total() const {
    const VecI low = _mm256_madd_epi16(low_, _mm256_set1_epi16(1));
    if constexpr (kBits == 4) return low;
    return _mm256_add_epi32(low, _mm256_madd_epi16(high_, _mm256_set1_epi16(16)));
  }

 private:
  VecI low_ = _mm256_setzero_si256(), high_ = _mm256_setzero_si256();
};

// The dot products of int16 weights with a row of activations.
class PairDot {
 public:
  // Adds 2 columns: int16 2 * lane + c of w is the weight of output `lane`; x[2].
  void Add(VecI w, const int16_t* x) {
    int32_t x2;
    memcpy(&x2, x, sizeof(x2));
    sum_ = _mm256_add_epi32(sum_, _mm256_madd_epi16(w, _mm256_set1_epi32(x2)));
    __asm__("" : "+x"(sum_));  // as in BlockDot
  }
  VecI Total() const { return sum_; }

 private:
  VecI sum_ = _mm256_setzero_si256();
};

inline VecI AddI(VecI a, VecI b) { return _mm256_add_epi32(a, b); }
inline VecI ZeroI() { return _mm256_setzero_si256(); }
inline int32_t SumI(VecI v) {
  __m128i x = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xB1)));
}
// The next 2 * kWidth of what is at p, as int16.
inline VecI LoadI8AsI16(const int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
// sum[i] + a[2i] * b[2i] + a[2i + 1] * b[2i + 1]
inline VecI AddPairs(VecI sum, VecI a, const int16_t* b) {
  const VecI bv = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, bv));
}

constexpr int kQuantRows =
    4;                       // rows of a quantised tile: 8 weights, 4 sums, scales of 16 registers
constexpr int kDimVecs = 2;  // vectors of an attention output held for each of 4 queries

}  // namespace
}  // namespace anabranch
