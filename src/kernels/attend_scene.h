// A step of attention as plain data, for tests: what lies in the arena and what each row sees.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernel_test.h"

namespace anabranch::testing {

struct AttendShape {
  int32_t head_dim = 64, n_heads = 4, n_kv_heads = 2, rows = 1;
  DType dtype = DType::kF32;
  int32_t rot_dim = 64;
  bool interleaved = false;
  float mscale = 1.0f;
  float softcap = 0.0f;
};

struct AttendScene {
  AttendShape shape;
  int32_t slots = 0, n_bands = 0, layer = 0;
  std::vector<Segment> segments;
  std::vector<int32_t> lists, list_of;  // list_of empty: all heads use list 0
  std::vector<BandRow> bands;           // [n_bands][rows]
  std::vector<int64_t> stored_pos;      // [slots]
  std::vector<float> k, v;              // [slots, n_kv_heads * head_dim], k not rotated
  std::vector<float> q;                 // [rows, n_heads * head_dim]

  float scale() const;
  std::vector<uint64_t> inc() const;
};

// A stream whose ring has wrapped: pinned, history, recalled text, turn, in this virtual order. The
// rows (at most 39) are consecutive tokens; the window of each begins one later. `first` is the
// stream's first position.
AttendScene WindowScene(const AttendShape& shape, int64_t first);

// 40 segments of 5 keys, in lists of their own for each layer and KV head. An empty segment; rows
// that see nothing of a band; bounds within segments; a last row that sees nothing at all.
AttendScene ManySegmentsScene(const AttendShape& shape);

// One segment of n keys of which each row sees a part in the middle.
AttendScene LongSegmentScene(const AttendShape& shape, int32_t n);

// Appends every slot and attends. Returns [rows, n_heads * head_dim].
std::vector<float> RunScene(TestBackend& backend, const AttendScene& scene);

}  // namespace anabranch::testing
