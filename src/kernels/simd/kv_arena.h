// The arena of keys and values of a layer: how rows get in and blocks of them out.
//
//   k and v:   | KV head 0: slot 0 [head_dim], slot 1, ... | KV head 1: slot 0, ... | ...
//
// A key lies as one row, so that append writes it in one piece and a slot costs no more than its
// bytes; attend transposes blocks of keys on the fly.
#pragma once

#include "kernels/simd/scratch.h"

namespace anabranch {
namespace {

// DTypeBytes, for code of one instruction set.
constexpr int64_t RowBytes(DType dtype, int64_t n) {
  if (dtype == DType::kQ8) return n / kQ8Block * (4 + kQ8Block);
  return n * (dtype == DType::kF32 ? 4 : 2);
}

// Calls body.operator()<dtype>().
template <typename Body>
inline void WithDType(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kF32:
      body.template operator()<DType::kF32>();
      break;
    case DType::kF16:
      body.template operator()<DType::kF16>();
      break;
    case DType::kBF16:
      body.template operator()<DType::kBF16>();
      break;
    case DType::kQ8:
      body.template operator()<DType::kQ8>();
      break;
  }
}

// Byte offset of a slot's row.
inline int64_t SlotOffset(const KvArena& kv, int64_t kv_head, int64_t slot) {
  return (kv_head * kv.slots + slot) * RowBytes(kv.dtype, kv.head_dim);
}

// n floats, in whole blocks, as kQ8.
inline void StoreBlocks(const float* src, int64_t n, unsigned char* dst) {
  for (int64_t b = 0; b < n; b += kQ8Block, dst += RowBytes(DType::kQ8, kQ8Block)) {
    const float amax = LargestOf<kQ8Block>(src + b);
    const VecF inverse = Set1(amax > 0 ? 127.0f / amax : 0.0f);
    const float scale = amax / 127.0f;
    memcpy(dst, &scale, sizeof(scale));
    int8_t q[kQ8Block];
    for (int64_t i = 0; i < kQ8Block; i += kWidth) StoreI8(q + i, Mul(Load(src + b + i), inverse));
    memcpy(dst + sizeof(scale), q, sizeof(q));
  }
}

// n floats to elements of dtype at dst. Only these elements are written.
inline void StoreElements(DType dtype, const float* src, int64_t n, unsigned char* dst) {
  if (dtype == DType::kF32) {
    memcpy(dst, src, static_cast<size_t>(n) * sizeof(float));
    return;
  }
  if (dtype == DType::kQ8) return StoreBlocks(src, n, dst);
  for (int64_t i = 0; i < n; i += kWidth) {
    const int64_t left = Min(kWidth, n - i);
    const VecF v = LoadPartial(src + i, left);
    alignas(64) uint16_t bits[kWidth];
    if (dtype == DType::kF16) {
      StoreF16(bits, v);
    } else {
      StoreBf16(bits, v);
    }
    memcpy(dst + 2 * i, bits, static_cast<size_t>(2 * left));
  }
}

// Elements [i, i + kWidth) of a row; i is a multiple of kWidth.
template <DType kDType>
inline VecF LoadElements(const unsigned char* row, int64_t i) {
  if constexpr (kDType == DType::kQ8) {
    const unsigned char* block = row + RowBytes(kDType, i);
    const auto* q = reinterpret_cast<const int8_t*>(block + sizeof(float));
    return Mul(Set1(LoadAs<float>(block)), LoadI8(q + i % kQ8Block));
  }
  const unsigned char* p = row + RowBytes(kDType, i);
  if constexpr (kDType == DType::kF32) {
    return Load(reinterpret_cast<const float*>(p));
  } else {
    return kDType == DType::kF16 ? LoadF16(p) : LoadBf16(p);
  }
}

// Elements [i, min(i + kWidth, n)) of a row of n, the other lanes zero.
template <DType kDType>
inline VecF LoadElementsOf(const unsigned char* row, int64_t i, int64_t n) {
  if (kDType == DType::kQ8 || n - i >= kWidth) return LoadElements<kDType>(row, i);
  alignas(64) unsigned char part[4 * kWidth] = {};
  memcpy(part, row + RowBytes(kDType, i), static_cast<size_t>(RowBytes(kDType, n - i)));
  return LoadElements<kDType>(part, 0);
}

// Keys and values of n <= kKeys slots of a KV head to F32: keys transposed, [width, kKeys], and
// values [kKeys, width].
template <DType kDType>
inline void LoadKeysAs(const KvArena& kv, int64_t kv_head, int64_t slot, int64_t n, int64_t width,
                       float* keys, float* values) {
  const int64_t row_bytes = RowBytes(kDType, kv.head_dim);
  const unsigned char* k_rows = kv.k.p + SlotOffset(kv, kv_head, slot);
  const unsigned char* v_rows = kv.v.p + SlotOffset(kv, kv_head, slot);
  for (int64_t d = 0; d < kv.head_dim; d += kWidth) {
    for (int64_t k = 0; k < n; k += kWidth) {
      VecF square[kWidth];
      for (int64_t i = 0; i < kWidth; ++i) {
        const int64_t key = Min(k + i, n - 1);  // lanes past the end repeat the last key
        square[i] = LoadElementsOf<kDType>(k_rows + key * row_bytes, d, kv.head_dim);
      }
      Transpose(square);
      for (int64_t i = 0; i < kWidth; ++i) Store(keys + (d + i) * kKeys + k, square[i]);
    }
  }
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t d = 0; d < kv.head_dim; d += kWidth) {
      Store(values + k * width + d, LoadElementsOf<kDType>(v_rows + k * row_bytes, d, kv.head_dim));
    }
  }
}

}  // namespace
}  // namespace anabranch
