#include <algorithm>
#include <cmath>
#include <span>

#include "base/check.h"
#include "kernels/ref/attention_state.h"
#include "kernels/ref/dot.h"
#include "kernels/ref/ref.h"
#include "kernels/ref/rope.h"
#include "tensor/dequantize.h"

namespace anabranch::ref {
namespace {

// A thread's scratch, in the order of ScratchFloats: all of it [.., head_dim].
struct AttendScratch {
  AttendScratch(float* floats, int64_t head_dim)
      : keys(floats),
        values(keys + kKeysPerBlock * head_dim),
        cos(values + kKeysPerBlock * head_dim),
        sin(cos + head_dim / 2),
        query(cos + head_dim),
        total(query + head_dim, static_cast<size_t>(head_dim)),
        block(query + 2 * head_dim, static_cast<size_t>(head_dim)) {}

  float *keys, *values, *cos, *sin, *query;
  std::span<float> total, block;
};

unsigned char* SlotOf(const KvArena& arena, DevPtr data, int64_t head, int64_t slot) {
  return data.p + (head * arena.slots + slot) * DTypeBytes(arena.dtype, arena.head_dim);
}

// `n` keys or values from slot `slot` on of a head, as floats.
void LoadSlots(const KvArena& arena, DevPtr data, int64_t head, int64_t slot, int64_t n,
               float* out) {
  LoadFloats(arena.dtype, SlotOf(arena, data, head, slot),
             {out, static_cast<size_t>(n * arena.head_dim)});
}

void StoreSlot(const KvArena& arena, DevPtr data, int64_t head, int64_t slot, const float* x) {
  StoreFloats(arena.dtype, {x, static_cast<size_t>(arena.head_dim)},
              SlotOf(arena, data, head, slot));
}

// The state of a rotated query over n <= kKeysPerBlock keys and values [n, head_dim].
AttentionState AttendBlock(const float* query, const float* keys, const float* values, int64_t n,
                           const AttendOptions& options, std::span<float> o) {
  AttentionState state = EmptyState(o);
  const auto head_dim = static_cast<int64_t>(o.size());
  float scores[kKeysPerBlock];
  for (int64_t i = 0; i < n; ++i) {
    scores[i] = Dot(query, keys + i * head_dim, head_dim) * options.scale;
    if (options.softcap != 0.0f) {
      scores[i] = options.softcap * std::tanh(scores[i] / options.softcap);
    }
    state.m = std::max(state.m, scores[i]);
  }
  for (int64_t i = 0; i < n; ++i) {
    const float weight = std::exp(scores[i] - state.m);
    state.d += weight;
    for (int64_t c = 0; c < head_dim; ++c) {
      o[static_cast<size_t>(c)] += weight * values[i * head_dim + c];
    }
  }
  return state;
}

}  // namespace

void Append(Exec& exec, Mat k, Mat v, const Rope& rope, DevPtr stored_pos, DevPtr slot,
            const KvArena& arena) {
  const int32_t head_dim = arena.head_dim;
  ANABRANCH_CHECK(head_dim <= exec.limits.max_head_dim && rope.rot_dim <= head_dim);
  ANABRANCH_CHECK(k.cols == arena.n_kv_heads * head_dim && v.cols == k.cols && v.rows == k.rows);
  ParallelFor(exec, k.rows, [=, &exec](int64_t r, int thread) {
    const int32_t to = As<const int32_t>(slot)[r];
    ANABRANCH_CHECK(to >= 0 && to < arena.slots);
    const AttendScratch scratch(ThreadScratch(exec, thread), head_dim);
    RopeAngles(rope, As<const int64_t>(stored_pos)[r], scratch.cos, scratch.sin);
    for (int32_t head = 0; head < arena.n_kv_heads; ++head) {
      RopeRotate(rope, scratch.cos, scratch.sin, Row(k, r) + head * head_dim, head_dim,
                 scratch.keys);
      StoreSlot(arena, arena.k, head, to, scratch.keys);
      StoreSlot(arena, arena.v, head, to, Row(v, r) + head * head_dim);
    }
  });
}

// softmax(scale q K^T) V (Vaswani et al. 2017, arXiv 1706.03762, equation 1) for each row and head,
// over the keys that the row sees, of which every block leaves a partial state (attention_state.h).
void Attend(Exec& exec, Mat q, const Rope& rope, const KvArena& arena, const AttendPlan& plan,
            int32_t layer, const AttendOptions& options, Mat out) {
  const int32_t head_dim = arena.head_dim, n_heads = q.cols / head_dim;
  const int32_t heads_per_kv_head = n_heads / arena.n_kv_heads;
  ANABRANCH_CHECK(head_dim <= exec.limits.max_head_dim && rope.rot_dim <= head_dim);
  ANABRANCH_CHECK(q.cols == n_heads * head_dim && n_heads % arena.n_kv_heads == 0);
  ANABRANCH_CHECK(q.rows == plan.rows && plan.rows <= plan.max_rows);
  ANABRANCH_CHECK(out.rows == q.rows && out.cols == q.cols);

  ParallelFor(exec, int64_t{q.rows} * n_heads, [=, &exec](int64_t task, int thread) {
    const int64_t row = task / n_heads, head = task % n_heads, kv_head = head / heads_per_kv_head;
    const int32_t list =
        plan.list_of.p == nullptr
            ? 0
            : As<const int32_t>(plan.list_of)[int64_t{layer} * arena.n_kv_heads + kv_head];
    const int32_t* list_begin = As<const int32_t>(plan.lists) + list;
    const AttendScratch scratch(ThreadScratch(exec, thread), head_dim);
    AttentionState total = EmptyState(scratch.total);
    for (int32_t s = list_begin[0]; s < list_begin[1]; ++s) {
      const Segment& segment = As<const Segment>(plan.segments)[s];
      const BandRow& band =
          As<const BandRow>(plan.bands)[int64_t{segment.band} * plan.max_rows + row];
      // Positions become indices of the segment here: [begin, end) is what the row sees of it.
      const int64_t begin = std::max(band.lo, segment.base) - segment.base;
      const int64_t end = std::min(band.hi, segment.base + segment.n) - segment.base;
      if (begin >= end) continue;
      RopeAngles(rope, segment.base + band.delta - segment.offset, scratch.cos, scratch.sin);
      RopeRotate(rope, scratch.cos, scratch.sin, Row(q, row) + head * head_dim, head_dim,
                 scratch.query);
      for (int64_t i = begin; i < end; i += kKeysPerBlock) {
        const int64_t n = std::min<int64_t>(kKeysPerBlock, end - i);
        LoadSlots(arena, arena.k, kv_head, segment.slot + i, n, scratch.keys);
        LoadSlots(arena, arena.v, kv_head, segment.slot + i, n, scratch.values);
        Merge(total,
              AttendBlock(scratch.query, scratch.keys, scratch.values, n, options, scratch.block));
      }
    }
    Normalize(total, Row(out, row) + head * head_dim);
  });
}

}  // namespace anabranch::ref
