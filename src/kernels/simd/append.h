// append: a step's keys, rotated, and values into the arena.
#pragma once

#include "kernels/simd/kv_arena.h"
#include "kernels/simd/rope.h"

namespace anabranch {
namespace {

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
  if (!WithinLimits(exec, kv.head_dim <= exec.limits.max_head_dim)) return;
  const AttendScratch scratch = AttendScratchOf(exec.limits, kv.head_dim, exec.scratch);
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
