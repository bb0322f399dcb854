#include "kernels/attend_scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace anabranch::testing {
namespace {

// Positions and slots of the segments decide where each slot's key is rotated; slots of no segment
// are filled as well, so that reading one shows.
void FillScene(AttendScene& scene, uint32_t seed) {
  const AttendShape& shape = scene.shape;
  scene.stored_pos.assign(static_cast<size_t>(scene.slots), 0);
  for (const Segment& s : scene.segments) {
    for (int32_t i = 0; i < s.n; ++i) {
      scene.stored_pos[static_cast<size_t>(s.slot + i)] = s.base + i;
    }
  }
  const int64_t kv_floats = int64_t{scene.slots} * shape.n_kv_heads * shape.head_dim;
  scene.k = RandomFloats(kv_floats, seed);
  scene.v = RandomFloats(kv_floats, seed + 1);
  scene.q = RandomFloats(int64_t{shape.rows} * shape.n_heads * shape.head_dim, seed + 2);
}

}  // namespace

float AttendScene::scale() const { return 1.0f / std::sqrt(static_cast<float>(shape.head_dim)); }

std::vector<uint64_t> AttendScene::inc() const {
  std::vector<uint64_t> inc;
  for (int32_t j = 0; j < shape.rot_dim / 2; ++j) {
    const long double theta = std::pow(10000.0L, -2.0L * j / shape.rot_dim);
    inc.push_back(static_cast<uint64_t>(0x1p64L * theta / (2 * std::numbers::pi_v<long double>)));
  }
  return inc;
}

AttendScene WindowScene(const AttendShape& shape, int64_t first) {
  constexpr int32_t kPinned = 4, kRecalled = 7, kRing = 128, kRecent = 70, kTurn = 40;
  // The rows are the last tokens of a turn, long after the ring has been filled.
  const int64_t begin = first + 1000, end = begin + shape.rows, split = end - kTurn;
  const int64_t window_begin = begin - kRecent + 1;  // what the first row sees
  const auto slot_of = [&](int64_t position) {
    return kPinned + static_cast<int32_t>((position - first - kPinned) % kRing);
  };
  AttendScene scene;
  scene.shape = shape;
  scene.slots = kPinned + kRing + kRecalled;
  const auto add_run = [&](int64_t run_begin, int64_t run_end, int32_t band) {
    const auto n = static_cast<int32_t>(run_end - run_begin);
    const int32_t slot = slot_of(run_begin), n1 = std::min(n, kPinned + kRing - slot);
    scene.segments.push_back({run_begin, slot, n1, 0, band});
    scene.segments.push_back({run_begin + n1, kPinned, n - n1, n1, band});
  };
  scene.segments.push_back({first, 0, kPinned, 0, 0});
  add_run(window_begin, split, 1);
  scene.segments.push_back({0, kPinned + kRing, kRecalled, 0, 2});
  add_run(split, end, 3);
  scene.lists = {0, static_cast<int32_t>(scene.segments.size())};

  scene.n_bands = 4;
  for (int32_t band = 0; band < scene.n_bands; ++band) {
    for (int64_t row = begin; row < end; ++row) {
      // Pinned, history, recalled, turn: p = base + v - e, with v the row's virtual position and e
      // that of the segment's first key.
      const int64_t lo = row - kRecent + 1, n_history = split - lo;
      const int64_t v = kPinned + n_history + kRecalled + (row - split);
      const BandRow of_band[] = {
          {v, first, first + kPinned},
          {v - kPinned + (lo - window_begin), lo, split},
          {v - kPinned - n_history, 0, kRecalled},
          {row - split, split, row + 1},
      };
      scene.bands.push_back(of_band[band]);
    }
  }
  FillScene(scene, 1);
  return scene;
}

AttendScene ManySegmentsScene(const AttendShape& shape) {
  constexpr int32_t kSegments = 40, kKeys = 5, kLayers = 2;
  AttendScene scene;
  scene.shape = shape;
  scene.slots = kSegments * kKeys;
  scene.layer = 1;
  RandomWeights random(7);
  // A list for each (layer, KV head), in no order; each has segments of its own and an empty one.
  const int32_t n_lists = kLayers * shape.n_kv_heads;
  scene.lists.push_back(0);
  for (int32_t list = 0; list < n_lists; ++list) {
    for (int32_t s = list % 3; s < kSegments; s += 1 + list % 2) {
      const int32_t n = s == 10 ? 0 : kKeys;
      scene.segments.push_back({1000 * s, s * kKeys, n, static_cast<int32_t>(s * kKeys), s % 3});
    }
    scene.lists.push_back(static_cast<int32_t>(scene.segments.size()));
    scene.list_of.push_back(n_lists - 1 - list);
  }
  scene.n_bands = 3;
  for (int32_t band = 0; band < scene.n_bands; ++band) {
    for (int32_t row = 0; row < shape.rows; ++row) {
      // Bounds fall between segments, within them, and at their ends; some see nothing.
      const int64_t lo = 1000 * (random.Bits() % 10) + random.Bits() % 6;
      const int64_t hi = lo + 1000 * (random.Bits() % 30);
      scene.bands.push_back({300 + row, lo, random.Bits() % 4 == 0 ? lo - 2000 : hi});
      if (shape.rows > 1 && row == shape.rows - 1) scene.bands.back().hi = 0;
    }
  }
  FillScene(scene, 11);
  return scene;
}

AttendScene LongSegmentScene(const AttendShape& shape, int32_t n) {
  AttendScene scene;
  scene.shape = shape;
  scene.slots = n + 3;
  scene.segments = {{50, 2, n, 0, 0}};
  scene.lists = {0, 1};
  scene.n_bands = 1;
  for (int32_t row = 0; row < shape.rows; ++row) {
    scene.bands.push_back({n + row, 50 + n / 8 + row, 50 + n - n / 8 + row});
  }
  FillScene(scene, 21);
  return scene;
}

std::vector<float> RunScene(TestBackend& backend, const AttendScene& scene) {
  const KernelTable& table = backend.table();
  const AttendShape& shape = scene.shape;
  const int32_t kv_cols = shape.n_kv_heads * shape.head_dim;
  const Rope rope{backend.Upload(scene.inc()), shape.rot_dim, shape.interleaved, shape.mscale};
  const size_t arena_bytes = static_cast<size_t>(scene.slots * DTypeBytes(shape.dtype, kv_cols));
  const KvArena arena{backend.Alloc(arena_bytes),
                      backend.Alloc(arena_bytes),
                      shape.n_kv_heads,
                      scene.slots,
                      shape.head_dim,
                      shape.dtype};

  // From the last slot to the first, in batches: the order in which slots are filled is free.
  for (int32_t end = scene.slots; end > 0;) {
    const int32_t begin = std::max(0, end - TestBackend::kLimits.max_rows), n = end - begin;
    std::vector<float> k, v;
    std::vector<int64_t> pos;
    std::vector<int32_t> slot;
    for (int32_t s = end - 1; s >= begin; --s) {
      const auto first = static_cast<int64_t>(s) * kv_cols;
      k.insert(k.end(), scene.k.begin() + first, scene.k.begin() + first + kv_cols);
      v.insert(v.end(), scene.v.begin() + first, scene.v.begin() + first + kv_cols);
      pos.push_back(scene.stored_pos[static_cast<size_t>(s)]);
      slot.push_back(s);
    }
    table.append(backend.exec(), backend.Matrix(n, kv_cols, k), backend.Matrix(n, kv_cols, v), rope,
                 backend.Upload(pos), backend.Upload(slot), arena);
    end = begin;
  }

  AttendPlan plan;
  plan.segments = backend.Upload(scene.segments);
  plan.lists = backend.Upload(scene.lists);
  if (!scene.list_of.empty()) plan.list_of = backend.Upload(scene.list_of);
  plan.rows = shape.rows;
  plan.max_rows = shape.rows + 2;
  plan.n_bands = scene.n_bands;
  std::vector<BandRow> bands;
  for (int32_t band = 0; band < scene.n_bands; ++band) {
    const auto first = scene.bands.begin() + band * shape.rows;
    bands.insert(bands.end(), first, first + shape.rows);
    bands.insert(bands.end(), 2, BandRow{});  // rows that this step does not have
  }
  plan.bands = backend.Upload(bands);
  const Mat out = backend.Output(shape.rows, shape.n_heads * shape.head_dim);
  table.attend(backend.exec(), backend.Matrix(shape.rows, shape.n_heads * shape.head_dim, scene.q),
               rope, arena, plan, scene.layer, {scene.scale(), shape.softcap}, out);
  return backend.Download(out);
}

}  // namespace anabranch::testing
