// Attention over the segments of a plan (tensor/plan.h).
//
//   work items:  KV heads x row blocks x splits of the keys
//
//   an item:     for each segment: rotate the queries of the block's rows, for all heads of the
//                group; for each block of kKeys keys that some row sees: convert keys and values to
//                F32 once and transpose the keys, unless the rows are few; then rows that see the
//                same of them attend together.
//
// A step with few rows (decode) has too few KV heads to keep all threads busy: its keys are split
// as well, and the partial states of the splits are merged, as in flash-decoding.
#pragma once

#include "kernels/simd/attend_block.h"
#include "kernels/simd/kv_arena.h"
#include "kernels/simd/rope.h"

namespace anabranch {
namespace {

struct AttendJob {
  const Mat& q;
  const Rope& rope;
  const KvArena& kv;
  const AttendPlan& plan;
  int32_t layer;
  const AttendOptions& options;
  const Mat& out;
  AttendScratch scratch;
  int64_t group;          // query heads of a KV head
  int64_t rows_of_block;  // of an item
  int64_t n_items;        // KV heads x row blocks
  int64_t n_splits;
};

// The segments of a KV head.
inline List<const Segment> SegmentsOf(const AttendPlan& plan, int32_t layer, int32_t n_kv_heads,
                                      int64_t kv_head) {
  const int32_t* lists = reinterpret_cast<const int32_t*>(plan.lists.p);
  const int32_t* list_of = reinterpret_cast<const int32_t*>(plan.list_of.p);
  const int32_t list = list_of == nullptr ? 0 : list_of[layer * n_kv_heads + kv_head];
  return {reinterpret_cast<const Segment*>(plan.segments.p) + lists[list],
          lists[list + 1] - lists[list]};
}

inline int64_t KeysOf(const List<const Segment>& segments) {
  int64_t n = 0;
  for (int64_t i = 0; i < segments.n; ++i) n += segments.data[i].n;
  return n;
}

struct KeyRange {
  int64_t lo, hi;  // indices within a segment
};

inline const BandRow& BandOf(const AttendPlan& plan, const Segment& s, int64_t r) {
  return reinterpret_cast<const BandRow*>(plan.bands.p)[s.band * int64_t{plan.max_rows} + r];
}

// What row r sees of the part `clip` of a segment.
inline KeyRange VisibleTo(const AttendPlan& plan, const Segment& s, KeyRange clip, int64_t r) {
  const BandRow& band = BandOf(plan, s, r);
  if (band.lo >= band.hi) return {0, 0};
  return {Max(clip.lo, band.lo - s.base), Min(clip.hi, band.hi - s.base)};
}

// Keys and values of n slots of a KV head into the thread's block.
inline KeyBlock LoadKeys(const AttendJob& job, int64_t kv_head, int64_t slot, int64_t n,
                         int thread) {
  const KvArena& kv = job.kv;
  const int64_t width = job.scratch.width;
  float* keys = job.scratch.keys(thread);
  float* values = job.scratch.values(thread);
  WithDType(kv.dtype,
            [&]<DType kDType>() { LoadKeysAs<kDType>(kv, kv_head, slot, n, width, keys, values); });
  return {keys, values, kv.head_dim, width, job.options.softcap};
}

// Calls body with a block of n slots of a KV head as they lie in the arena.
template <typename Body>
inline void WithStoredKeys(const AttendJob& job, int64_t kv_head, int64_t slot, int64_t n,
                           const Body& body) {
  const KvArena& kv = job.kv;
  const int64_t offset = SlotOffset(kv, kv_head, slot);
  WithDType(kv.dtype, [&]<DType kDType>() {
    body(StoredKeys<kDType>{kv.k.p + offset, kv.v.p + offset, n, kv.head_dim, job.scratch.width,
                            job.options.softcap});
  });
}

// Whether converting a block would take longer than it saves.
constexpr int64_t kFewRows = 3;
inline bool AttendsAsStored(const AttendJob& job, int64_t n_rows) {
  return n_rows <= kFewRows && job.kv.head_dim % kWidth == 0;
}

// The rows of block [row, row + n_rows) over the part `clip` of a segment.
inline void AttendSegment(const AttendJob& job, int64_t kv_head, const Segment& s, KeyRange clip,
                          int64_t row, int64_t n_rows, const States& states, int thread) {
  const int64_t width = job.scratch.width, head_dim = job.kv.head_dim;
  float* queries = job.scratch.queries(thread);
  float* cs = job.scratch.cos_sin(thread);
  KeyRange any{clip.hi, clip.lo};
  for (int64_t r = 0; r < n_rows; ++r) {
    const KeyRange seen = VisibleTo(job.plan, s, clip, row + r);
    if (seen.lo >= seen.hi) continue;
    any = {Min(any.lo, seen.lo), Max(any.hi, seen.hi)};
    const int64_t p = s.base + BandOf(job.plan, s, row + r).delta - s.offset;
    CosSin(job.rope, p, job.rope.mscale * job.options.scale, cs);
    for (int64_t h = 0; h < job.group; ++h) {
      Rotate(job.rope, job.kv.head_dim, cs, job.options.scale,
             Row(job.q, row + r) + (kv_head * job.group + h) * head_dim,
             queries + (r * job.group + h) * width);
    }
  }
  const bool as_stored = AttendsAsStored(job, n_rows);
  for (int64_t k = any.lo; k < any.hi; k += kKeys) {
    const KeyRange keys{k, Min(any.hi, k + kKeys)};
    KeyBlock block{nullptr, nullptr, 0, 0, 0.0f};
    for (int64_t r = 0, end = 0; r < n_rows; r = end) {
      const KeyRange seen = VisibleTo(job.plan, s, keys, row + r);
      for (end = r + 1; end < n_rows; ++end) {
        const KeyRange other = VisibleTo(job.plan, s, keys, row + end);
        if (other.lo != seen.lo || other.hi != seen.hi) break;
      }
      if (seen.lo >= seen.hi) continue;
      const int64_t q = r * job.group;
      const auto attend = [&](const auto& to) {
        AttendQueries(to, seen.lo - k, seen.hi - k, (end - r) * job.group, queries + q * width,
                      {states.out + q * width, states.max + q, states.sum + q * kWidth});
      };
      if (as_stored) {
        WithStoredKeys(job, kv_head, s.slot + k, keys.hi - k, attend);
        continue;
      }
      if (block.keys == nullptr) block = LoadKeys(job, kv_head, s.slot + k, keys.hi - k, thread);
      attend(block);
    }
  }
}

// Merges the states of an item's splits and writes its rows of the output.
inline void FinishItem(const AttendJob& job, int64_t item, int64_t first_slot) {
  const int64_t kv_head = item % job.kv.n_kv_heads;
  const int64_t row = item / job.kv.n_kv_heads * job.rows_of_block;
  const int64_t n_rows = Min(job.rows_of_block, job.q.rows - row);
  const int64_t width = job.scratch.width, head_dim = job.kv.head_dim;
  for (int64_t q = 0; q < n_rows * job.group; ++q) {
    float max = -INFINITY;
    for (int64_t s = 0; s < job.n_splits; ++s) {
      max = fmaxf(max, job.scratch.states(first_slot + s).max[q]);
    }
    States merged = job.scratch.states(first_slot);
    float* out = merged.out + q * width;
    float sum = 0.0f;
    for (int64_t s = 0; s < job.n_splits; ++s) {
      const States split = job.scratch.states(first_slot + s);
      const float split_sum = Sum(Load(split.sum + q * kWidth));
      if (split_sum == 0.0f) continue;  // the identity; its max is -infinity
      const float factor = expf(split.max[q] - max);
      sum += factor * split_sum;
      for (int64_t d = 0; d < width; d += kWidth) {
        const VecF part = Mul(Set1(factor), Load(split.out + q * width + d));
        Store(out + d, s == 0 ? part : Add(Load(out + d), part));
      }
    }
    const VecF inverse = Set1(sum != 0.0f ? 1.0f / sum : 0.0f);
    float* to =
        Row(job.out, row + q / job.group) + (kv_head * job.group + q % job.group) * head_dim;
    for (int64_t d = 0; d < head_dim; d += kWidth) {
      StorePartial(to + d, Min(kWidth, head_dim - d), Mul(Load(out + d), inverse));
    }
  }
}

inline void AttendTask(const AttendJob& job, int64_t task, int thread) {
  const int64_t item = task / job.n_splits, split = task % job.n_splits;
  const int64_t kv_head = item % job.kv.n_kv_heads;
  const int64_t row = item / job.kv.n_kv_heads * job.rows_of_block;
  const int64_t n_rows = Min(job.rows_of_block, job.q.rows - row);
  const int64_t slot = job.n_splits == 1 ? thread : task;
  const States states = job.scratch.states(slot);
  for (int64_t q = 0; q < n_rows * job.group; ++q) {
    memset(states.out + q * job.scratch.width, 0,
           static_cast<size_t>(job.scratch.width) * sizeof(float));
    states.max[q] = -INFINITY;
    Store(states.sum + q * kWidth, Zero());
  }
  const List<const Segment> segments = SegmentsOf(job.plan, job.layer, job.kv.n_kv_heads, kv_head);
  const int64_t n_keys = KeysOf(segments);
  const KeyRange part{n_keys * split / job.n_splits, n_keys * (split + 1) / job.n_splits};
  int64_t before = 0;  // keys of the segments before this one
  for (int64_t i = 0; i < segments.n; ++i) {
    const Segment& s = segments.data[i];
    const KeyRange clip{Max(0, part.lo - before), Min(s.n, part.hi - before)};
    before += s.n;
    if (clip.lo < clip.hi) AttendSegment(job, kv_head, s, clip, row, n_rows, states, thread);
  }
  if (job.n_splits == 1) FinishItem(job, item, slot);
}

constexpr int64_t kKeysOfSplit = 256;  // at least: a split costs its merge and a rotation

inline void Attend(Exec& exec, Mat q, const Rope& rope, const KvArena& kv, const AttendPlan& plan,
                   int32_t layer, const AttendOptions& options, Mat out) {
  if (q.rows == 0) return;
  const AttendScratch scratch = AttendScratchOf(exec.limits, kv.head_dim, exec.scratch);
  const int64_t group = q.cols / kv.head_dim / kv.n_kv_heads;
  if (!WithinLimits(exec,
                    kv.head_dim <= exec.limits.max_head_dim && group <= scratch.max_queries)) {
    return;
  }
  const int64_t rows_of_block = Max(1, kQueries / group);
  const int64_t n_items = kv.n_kv_heads * CeilDiv(q.rows, rows_of_block);
  const int64_t n_keys = KeysOf(SegmentsOf(plan, layer, kv.n_kv_heads, 0));
  const int64_t wanted = CeilDiv(kItemsPerThread * scratch.n_threads, n_items);
  const int64_t n_splits = Max(1, Min(wanted, n_keys / kKeysOfSplit));
  const AttendJob job{q,   rope,    kv,    plan,          layer,   options,
                      out, scratch, group, rows_of_block, n_items, n_splits};
  Parallel<AttendJob, AttendTask>(exec, job, n_items * n_splits);
  if (n_splits == 1) return;
  for (int64_t item = 0; item < n_items; ++item) FinishItem(job, item, item * n_splits);
}

}  // namespace
}  // namespace anabranch
