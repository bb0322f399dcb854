// The arena of keys and values of a layer, and append.
//
//   k and v:   | KV head 0: slot 0 [head_dim], slot 1, ... | KV head 1: slot 0, ... | ...
//
// A key lies as one row, so that append writes it in one piece and a slot costs no more than its
// bytes; attend transposes blocks of keys on the fly.
#pragma once

#include "kernels/simd/rope.h"
#include "kernels/simd/scratch.h"

namespace anabranch {
namespace {

// Byte offset of a slot's row.
inline int64_t SlotOffset(const KvArena& kv, int64_t kv_head, int64_t slot) {
  const int64_t bytes = kv.dtype == DType::kF32 ? 4 : 2;
  return (kv_head * kv.slots + slot) * kv.head_dim * bytes;
}

// n floats to elements of dtype at dst. Only these elements are written.
inline void StoreElements(DType dtype, const float* src, int64_t n, unsigned char* dst) {
  if (dtype == DType::kF32) {
    memcpy(dst, src, static_cast<size_t>(n) * sizeof(float));
    return;
  }
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

// Elements [i, min(i + kWidth, n)) of a row of n, the other lanes zero.
template <DType kDType>
inline VecF LoadElements(const unsigned char* row, int64_t i, int64_t n) {
  const int64_t left = Min(kWidth, n - i);
  if constexpr (kDType == DType::kF32) {
    return LoadPartial(reinterpret_cast<const float*>(row) + i, left);
  } else {
    const void* from = row + 2 * i;
    alignas(64) uint16_t bits[kWidth];
    if (left < kWidth) {
      memset(bits, 0, sizeof(bits));
      memcpy(bits, from, static_cast<size_t>(2 * left));
      from = bits;
    }
    return kDType == DType::kF16 ? LoadF16(from) : LoadBf16(from);
  }
}

struct AppendJob {
  const Mat& k;
  const Mat& v;
  const Rope& rope;
  const int64_t* stored_pos;
  const int32_t* slot;
  const KvArena& kv;
  const AttendScratch& scratch;
};

constexpr int64_t kAppendRows = 8;  // of a task

inline void AppendTask(const AppendJob& job, int64_t task, int thread) {
  const KvArena& kv = job.kv;
  float* cs = job.scratch.cos_sin(thread);
  float* rotated = job.scratch.queries(thread);
  const int64_t end = Min(job.k.rows, (task + 1) * kAppendRows);
  for (int64_t r = task * kAppendRows; r < end; ++r) {
    CosSin(job.rope, job.stored_pos[r], job.rope.mscale, cs);
    for (int64_t h = 0; h < kv.n_kv_heads; ++h) {
      const int64_t offset = SlotOffset(kv, h, job.slot[r]);
      Rotate(job.rope, kv.head_dim, cs, 1.0f, Row(job.k, r) + h * kv.head_dim, rotated);
      StoreElements(kv.dtype, rotated, kv.head_dim, kv.k.p + offset);
      StoreElements(kv.dtype, Row(job.v, r) + h * kv.head_dim, kv.head_dim, kv.v.p + offset);
    }
  }
}

inline void Append(Exec& exec, Mat k, Mat v, const Rope& rope, DevPtr stored_pos, DevPtr slot,
                   const KvArena& kv) {
  const AttendScratch scratch = AttendScratchOf(exec.limits, exec.scratch);
  const AppendJob job{k,
                      v,
                      rope,
                      reinterpret_cast<const int64_t*>(stored_pos.p),
                      reinterpret_cast<const int32_t*>(slot.p),
                      kv,
                      scratch};
  Parallel<AppendJob, AppendTask>(exec, job, CeilDiv(k.rows, kAppendRows));
}

}  // namespace
}  // namespace anabranch
