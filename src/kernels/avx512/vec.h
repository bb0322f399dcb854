// The vector of 16 floats that kernels/simd is written over, in AVX-512.
#pragma once

#include <immintrin.h>

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

constexpr int kWidth = 16;  // floats of a vector
using VecF = __m512;
using VecI = __m512i;  // 16 int32, or 64 bytes

inline VecF Zero() { return _mm512_setzero_ps(); }
inline VecF Set1(float v) { return _mm512_set1_ps(v); }
inline VecF Load(const float* p) { return _mm512_loadu_ps(p); }
// v, in a register from here on: GCC would repeat a load at every use, and loads are scarcer than
// registers.
inline VecF Held(VecF v) {
  __asm__("" : "+v"(v));
  return v;
}
inline VecI Held(VecI v) {
  __asm__("" : "+v"(v));
  return v;
}
inline void Store(float* p, VecF v) { _mm512_storeu_ps(p, v); }
// The first n lanes, 0 <= n <= kWidth; the others are zero, and their memory is not touched.
inline __mmask16 FirstLanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
inline VecF LoadPartial(const float* p, int64_t n) {
  return _mm512_maskz_loadu_ps(FirstLanes(n), p);
}
inline void StorePartial(float* p, int64_t n, VecF v) {
  _mm512_mask_storeu_ps(p, FirstLanes(n), v);
}

inline VecF Add(VecF a, VecF b) { return _mm512_add_ps(a, b); }
inline VecF Sub(VecF a, VecF b) { return _mm512_sub_ps(a, b); }
inline VecF Mul(VecF a, VecF b) { return _mm512_mul_ps(a, b); }
inline VecF Div(VecF a, VecF b) { return _mm512_div_ps(a, b); }
inline VecF Max(VecF a, VecF b) { return _mm512_max_ps(a, b); }
inline VecF Min(VecF a, VecF b) { return _mm512_min_ps(a, b); }
inline VecF Abs(VecF a) { return _mm512_abs_ps(a); }
inline VecF Fma(VecF a, VecF b, VecF c) { return _mm512_fmadd_ps(a, b, c); }
inline float Sum(VecF v) { return _mm512_reduce_add_ps(v); }
inline float MaxOf(VecF v) { return _mm512_reduce_max_ps(v); }
inline bool AnyAbove(VecF v, float limit) {
  return _mm512_cmp_ps_mask(v, Set1(limit), _CMP_GT_OQ) != 0;
}

// magnitude with the sign of `sign`.
inline VecF CopySign(VecF magnitude, VecF sign) {
  const VecI bit = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(bit, _mm512_castps_si512(sign),
                                                       _mm512_castps_si512(magnitude),
                                                       0xCA));  // bit ? sign : magnitude
}

// Lanes [lo, hi) of v, `fill` elsewhere; lo and hi may lie outside [0, kWidth].
inline VecF KeepRange(VecF v, int64_t lo, int64_t hi, float fill) {
  const VecI lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __mmask16 keep = _mm512_cmpge_epi32_mask(lane, _mm512_set1_epi32(static_cast<int>(lo))) &
                         _mm512_cmplt_epi32_mask(lane, _mm512_set1_epi32(static_cast<int>(hi)));
  return _mm512_mask_blend_ps(keep, Set1(fill), v);
}

inline VecF RoundNearest(VecF v) { return _mm512_roundscale_ps(v, 0); }
// p * 2^n, n integral; flushes to 0 and overflows to infinity as IEEE does.
inline VecF ScaleByPowerOf2(VecF p, VecF n) { return _mm512_scalef_ps(p, n); }
constexpr float kMinExp = -104.0f, kMaxExp = 89.0f;  // exp of less is 0, of more infinity

inline VecF LoadF16(const void* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
inline void StoreF16(void* p, VecF v) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline VecF LoadBf16(const void* p) {
  const __m256i bits = _mm256_loadu_si256(static_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline void StoreBf16(void* p, VecF v) {  // to nearest even
  const VecI bits = _mm512_castps_si512(v);
  const VecI odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const VecI up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(up, 16)));
}
// Lanes rounded to the nearest int8; they must lie within its range.
inline void StoreI8(int8_t* p, VecF v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

inline VecF LoadI8(const int8_t* p) {
  return _mm512_cvtepi32_ps(
      _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
// Lanes rounded to the nearest int16; they must lie within its range.
inline void StoreI16(int16_t* p, VecF v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(v)));
}

// v[i] lane j <-> v[j] lane i.
inline void Transpose(VecF (&v)[kWidth]) {
  VecF t[kWidth];
  for (int i = 0; i < 16; i += 4) {
    const VecF a = _mm512_unpacklo_ps(v[i], v[i + 1]), b = _mm512_unpackhi_ps(v[i], v[i + 1]);
    const VecF c = _mm512_unpacklo_ps(v[i + 2], v[i + 3]);
    const VecF d = _mm512_unpackhi_ps(v[i + 2], v[i + 3]);
    t[i] = _mm512_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm512_shuffle_ps(a, c, 0xEE);
    t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm512_shuffle_ps(b, d, 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    const VecF a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88);
    const VecF b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xDD);
    const VecF c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
    const VecF d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xDD);
    v[i] = _mm512_shuffle_f32x4(a, c, 0x88);
    v[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
    v[i + 8] = _mm512_shuffle_f32x4(a, c, 0xDD);
    v[i + 12] = _mm512_shuffle_f32x4(b, d, 0xDD);
  }
}

// Lane i: Sum(v[i]).
inline VecF SumEach(const VecF (&v)[kWidth]) {
  VecF fours[4];  // of v[4 * i] to v[4 * i + 3], one each in every quarter
  for (int i = 0; i < 4; ++i) {
    const VecF a =
        Add(_mm512_unpacklo_ps(v[4 * i], v[4 * i + 1]), _mm512_unpackhi_ps(v[4 * i], v[4 * i + 1]));
    const VecF b = Add(_mm512_unpacklo_ps(v[4 * i + 2], v[4 * i + 3]),
                       _mm512_unpackhi_ps(v[4 * i + 2], v[4 * i + 3]));
    fours[i] = Add(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
  }
  const auto halves = [](VecF a, VecF b) {
    return Add(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
  };
  return halves(halves(fours[0], fours[1]), halves(fours[2], fours[3]));
}

inline VecI LoadBytes(const unsigned char* p) { return _mm512_loadu_si512(p); }
inline VecI LowNibbles(VecI v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
inline VecI HighNibbles(VecI v) {
  return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(15));
}
inline VecF ToFloat(VecI v) { return _mm512_cvtepi32_ps(v); }

// The dot products of a block of weights with a row of activations, in kBits of 4 or 8.
template <int kBits>
class BlockDot {
 public:
  // Adds 4 columns: byte 4 * lane + c of w, unsigned, is the weight of output `lane`; x[4].
  void Add(VecI w, const int8_t* x) {
    // _mm512_dpbusd_epi32(sum_, w, _mm512_set1_epi32(x4)), for which GCC 12 takes two instructions.
    __asm__("vpdpbusd %2%{1to16%}, %1, %0"
            : "+v"(sum_)
            : "v"(w), "m"(*reinterpret_cast<const int8_t(*)[4]>(x)));
  }
  VecI Total() const { return sum_; }

 private:
  VecI sum_ = _mm512_setzero_si512();
};

// The dot products of int16 weights with a row of activations.
class PairDot {
 public:
  // Adds 2 columns: int16 2 * lane + c of w is the weight of output `lane`; x[2].
  void Add(VecI w, const int16_t* x) {
    // _mm512_dpwssd_epi32(sum_, w, _mm512_set1_epi32(x2)), as in BlockDot.
    __asm__("vpdpwssd %2%{1to16%}, %1, %0"
            : "+v"(sum_)
            : "v"(w), "m"(*reinterpret_cast<const int16_t(*)[2]>(x)));
  }
  VecI Total() const { return sum_; }

 private:
  VecI sum_ = _mm512_setzero_si512();
};

inline VecI AddI(VecI a, VecI b) { return _mm512_add_epi32(a, b); }
inline VecI ZeroI() { return _mm512_setzero_si512(); }
inline int32_t SumI(VecI v) { return _mm512_reduce_add_epi32(v); }
// The next 2 * kWidth of what is at p, as int16.
inline VecI LoadI8AsI16(const int8_t* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
// sum[i] + a[2i] * b[2i] + a[2i + 1] * b[2i + 1]
inline VecI AddPairs(VecI sum, VecI a, const int16_t* b) {
  return _mm512_dpwssd_epi32(sum, a, _mm512_loadu_si512(b));
}

constexpr int kQuantRows = 8;  // rows of a quantised tile: 8 weights, 2 * 8 sums, scales: 27 of 32
constexpr int kDimVecs = 4;    // vectors of an attention output held for each of 4 queries

}  // namespace
}  // namespace anabranch
