// The reference's attention against its definition: for each row and head one softmax over all keys
// that the row sees, each key rotated by its distance to the row, in f64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/attend_scene.h"

namespace anabranch::testing {
namespace {

// x [head_dim] as it would be after a rotation by `distance` positions.
std::vector<double> Rotated(const AttendScene& scene, const float* x, int64_t distance) {
  const AttendShape& shape = scene.shape;
  std::vector<double> out(x, x + shape.head_dim);
  const auto half = static_cast<size_t>(shape.rot_dim / 2);
  for (size_t j = 0; j < half; ++j) {
    const double theta = std::pow(10000.0, -2.0 * static_cast<double>(j) / shape.rot_dim);
    const double angle = static_cast<double>(distance) * theta;
    const size_t a = shape.interleaved ? 2 * j : j, b = shape.interleaved ? 2 * j + 1 : j + half;
    const double factor = static_cast<double>(shape.mscale) * static_cast<double>(shape.mscale);
    out[a] = factor * (x[a] * std::cos(angle) - x[b] * std::sin(angle));
    out[b] = factor * (x[a] * std::sin(angle) + x[b] * std::cos(angle));
  }
  return out;
}

struct Seen {
  double score;
  const float* value;
};

std::vector<double> Softmax(const std::vector<Seen>& seen, int32_t head_dim) {
  std::vector<double> out(static_cast<size_t>(head_dim));
  double max = -1e300, sum = 0.0;
  for (const Seen& key : seen) max = std::max(max, key.score);
  for (const Seen& key : seen) sum += std::exp(key.score - max);
  for (const Seen& key : seen) {
    for (size_t c = 0; c < out.size(); ++c) {
      out[c] += std::exp(key.score - max) / sum * static_cast<double>(key.value[c]);
    }
  }
  return out;
}

std::vector<double> Attend64(const AttendScene& scene, int32_t row, int32_t head) {
  const AttendShape& shape = scene.shape;
  const int32_t kv_head = head / (shape.n_heads / shape.n_kv_heads);
  const auto index = static_cast<size_t>(scene.layer * shape.n_kv_heads + kv_head);
  const auto list = static_cast<size_t>(scene.list_of.empty() ? 0 : scene.list_of[index]);
  const float* q = &scene.q[static_cast<size_t>((row * shape.n_heads + head) * shape.head_dim)];
  std::vector<Seen> seen;
  for (int32_t i = scene.lists[list]; i < scene.lists[list + 1]; ++i) {
    const Segment& s = scene.segments[static_cast<size_t>(i)];
    const BandRow& band = scene.bands[static_cast<size_t>(s.band * shape.rows + row)];
    for (int32_t j = 0; j < s.n; ++j) {
      const int64_t position = s.base + j;
      if (position < band.lo || position >= band.hi) continue;
      const auto at =
          static_cast<size_t>((int64_t{s.slot + j} * shape.n_kv_heads + kv_head) * shape.head_dim);
      // A query at p against a key at `position` is one at their distance against one at 0.
      const int64_t p = s.base + band.delta - s.offset;
      const auto rotated = Rotated(scene, q, p - position);
      double score = 0.0;
      for (size_t c = 0; c < rotated.size(); ++c) {
        score += rotated[c] * static_cast<double>(scene.k[at + c]);
      }
      score *= static_cast<double>(scene.scale());
      const auto cap = static_cast<double>(shape.softcap);
      if (cap != 0.0) score = cap * std::tanh(score / cap);
      seen.push_back({score, &scene.v[at]});
    }
  }
  return Softmax(seen, shape.head_dim);
}

// Scores of magnitude 4 and less, of 64 products and two rotations in F32: some 1e-6 each, twice
// that in a weight relative to itself, times values below 2.
constexpr double kTolerance = 1e-5;

void ExpectAttends(const AttendScene& scene) {
  TestBackend backend(kRefKernels);
  const auto got = RunScene(backend, scene);
  size_t at = 0;
  for (int32_t row = 0; row < scene.shape.rows; ++row) {
    for (int32_t head = 0; head < scene.shape.n_heads; ++head) {
      for (double want : Attend64(scene, row, head)) {
        ASSERT_NEAR(got[at++], want, kTolerance) << "row " << row << " head " << head;
      }
    }
  }
}

TEST(RefAttendTest, RowsOfAWrappedWindowSeeTheVirtualOrder) {
  for (int64_t first : {int64_t{0}, int64_t{1} << 40}) {
    ExpectAttends(WindowScene({.rows = 33}, first));
  }
}

TEST(RefAttendTest, HeadsReadTheirOwnListsAndEmptyOnesGiveZeros) {
  ExpectAttends(ManySegmentsScene({.n_heads = 6, .n_kv_heads = 2, .rows = 7}));
}

TEST(RefAttendTest, ManyBlocksOfKeysMergeToOneSoftmax) {
  ExpectAttends(LongSegmentScene({.n_heads = 3, .n_kv_heads = 1, .rows = 2}, 500));
}

TEST(RefAttendTest, RotatesNeighboursAPartOrNothing) {
  ExpectAttends(WindowScene({.rows = 2, .interleaved = true}, 0));
  ExpectAttends(WindowScene({.head_dim = 80, .rows = 2, .rot_dim = 20}, 0));
  ExpectAttends(WindowScene({.head_dim = 32, .rows = 2, .rot_dim = 0}, 0));
  ExpectAttends(WindowScene({.rows = 2, .mscale = 1.1f}, 0));
}

TEST(RefAttendTest, SoftcapBendsScores) {
  AttendScene scene = WindowScene({.rows = 3, .softcap = 1.5f}, 0);
  ExpectAttends(scene);
}

// Nothing but the stored values is rounded: with values that are numbers of the type, and keys that
// are not rotated, an arena of 16 bits gives what one of F32 gives.
TEST(RefAttendTest, SmallArenasHoldRoundedKeysAndValues) {
  for (DType dtype : {DType::kF16, DType::kBF16}) {
    AttendScene scene = WindowScene({.rows = 5, .dtype = dtype, .rot_dim = 0}, 0);
    for (std::vector<float>* values : {&scene.k, &scene.v}) {
      for (float& value : *values) value = Bf16ToF32(F32ToBf16(value));  // F16 holds these as well
    }
    TestBackend backend(kRefKernels), f32(kRefKernels);
    const auto small = RunScene(backend, scene);
    scene.shape.dtype = DType::kF32;
    EXPECT_EQ(small, RunScene(f32, scene));
  }
}

// With keys and values that 8 bits and a scale hold, an arena of them gives what one of F32 gives.
TEST(RefAttendTest, ArenasOf8BitsHoldBlocksWithAScale) {
  AttendScene scene = WindowScene({.rows = 5, .dtype = DType::kQ8, .rot_dim = 0}, 0);
  for (std::vector<float>* values : {&scene.k, &scene.v}) {
    for (size_t i = 0; i < values->size(); ++i) {
      float& value = (*values)[i];
      value = i % kQ8Block == 0 ? 127.0f / 64 : std::round(value * 64) / 64;
    }
  }
  TestBackend backend(kRefKernels), f32(kRefKernels);
  const auto small = RunScene(backend, scene);
  scene.shape.dtype = DType::kF32;
  EXPECT_EQ(small, RunScene(f32, scene));
}

}  // namespace
}  // namespace anabranch::testing
