// Every table's append and attend against the reference's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/attend_scene.h"

namespace anabranch::testing {
namespace {

double LargestNorm(const std::vector<float>& x, int32_t head_dim) {
  double largest = 0.0;
  for (size_t first = 0; first < x.size(); first += static_cast<size_t>(head_dim)) {
    double squares = 0.0;
    for (size_t c = first; c < first + static_cast<size_t>(head_dim); ++c) {
      squares += static_cast<double>(x[c]) * static_cast<double>(x[c]);
    }
    largest = std::max(largest, std::sqrt(squares));
  }
  return largest;
}

double LargestAbs(const std::vector<float>& x) {
  double largest = 0.0;
  for (float value : x) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

// How far a table's attention may be from the reference's.
//
// A score is a sum in F32 of head_dim products of two rotated vectors: it errs by (head_dim + 8)
// 2^-24 of scale |q| |k|, in both. An error e of every score changes the weights by a factor within
// exp(+-2e), so the output by 2e max|v|; exp and the sums over keys add 2^-20 of max|v|.
//
// An arena of 16 bits rounds what is stored, in both tables alike, but when a rotated element falls
// within its F32 error of a border between two numbers: then it differs by its last bit, 2^-10 of
// itself for F16 and 2^-7 for BF16. With 13 (F16) more bits in F32 that is one element in
// thousands, so one of each key is allowed to; a rotation makes elements up to sqrt(2) larger. In 8
// bits the last bit is 1 / 127 of a block's largest element.
double Tolerance(const AttendScene& scene) {
  const AttendShape& shape = scene.shape;
  const double scale = static_cast<double>(scene.scale() * shape.mscale * shape.mscale);
  double score_error = 2.0 * (shape.head_dim + 8) * 0x1p-24 * scale *
                       LargestNorm(scene.q, shape.head_dim) * LargestNorm(scene.k, shape.head_dim);
  if (shape.dtype != DType::kF32 && shape.rot_dim > 0) {
    const double last_bit = shape.dtype == DType::kF16    ? 0x1p-10
                            : shape.dtype == DType::kBF16 ? 0x1p-7
                                                          : 1.0 / 127;
    score_error += last_bit * scale * 2.0 * LargestAbs(scene.q) * LargestAbs(scene.k);
  }
  return (2.0 * score_error + 0x1p-20) * LargestAbs(scene.v);
}

class TableAttendTest : public ::testing::TestWithParam<TableCase> {
 protected:
  void ExpectSame(const AttendScene& scene) {
    TestBackend backend(*GetParam().table, GetParam().n_threads), ref(kRefKernels);
    const auto want = RunScene(ref, scene), got = RunScene(backend, scene);
    const double tolerance = Tolerance(scene);
    const auto cols = static_cast<size_t>(scene.shape.n_heads * scene.shape.head_dim);
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_NEAR(got[i], want[i], tolerance)
          << "row " << i / cols << " element " << i % cols << " head_dim " << scene.shape.head_dim
          << " heads " << scene.shape.n_heads << "/" << scene.shape.n_kv_heads;
    }
  }

  // Every scene at one shape.
  void ExpectSameInAllScenes(const AttendShape& shape) {
    ExpectSame(WindowScene(shape, 0));
    ExpectSame(WindowScene(shape, int64_t{1} << 40));
    ExpectSame(ManySegmentsScene(shape));
    ExpectSame(LongSegmentScene(shape, 150));
  }
};

TEST_P(TableAttendTest, AnyNumberOfRowsIsTheReferences) {
  for (int32_t rows : {0, 1, 2, 3, 7, 33}) ExpectSameInAllScenes({.rows = rows});
}

TEST_P(TableAttendTest, AnyHeadSizeAndGroupIsTheReferences) {
  for (int32_t head_dim : {32, 64, 80, 128}) {
    for (int32_t group : {1, 3, 4}) {
      ExpectSameInAllScenes({.head_dim = head_dim,
                             .n_heads = 3 * group,
                             .n_kv_heads = 3,
                             .rows = 3,
                             .rot_dim = head_dim});
    }
  }
}

TEST_P(TableAttendTest, AnyArenaTypeIsTheReferences) {
  for (DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8}) {
    for (int32_t head_dim : {64, dtype == DType::kQ8 ? 96 : 80}) {
      ExpectSameInAllScenes({.head_dim = head_dim, .rows = 7, .dtype = dtype});
      ExpectSameInAllScenes({.head_dim = head_dim, .rows = 1, .dtype = dtype, .rot_dim = 0});
    }
  }
}

TEST_P(TableAttendTest, AnyRotationIsTheReferences) {
  ExpectSameInAllScenes({.rows = 5, .interleaved = true});
  ExpectSameInAllScenes({.head_dim = 80, .rows = 5, .rot_dim = 20});
  ExpectSameInAllScenes({.head_dim = 80, .rows = 5, .rot_dim = 20, .interleaved = true});
  ExpectSameInAllScenes({.rows = 5, .mscale = 1.2f});
  ExpectSameInAllScenes({.rows = 5, .rot_dim = 0});
}

TEST_P(TableAttendTest, SoftcapIsTheReferences) {
  ExpectSameInAllScenes({.rows = 3, .softcap = 1.0f});
}

// Long enough that a step of one row is split among threads.
TEST_P(TableAttendTest, OneRowOverManyKeysIsTheReferences) {
  for (DType dtype : {DType::kF32, DType::kF16, DType::kQ8}) {
    ExpectSame(LongSegmentScene({.n_heads = 9, .n_kv_heads = 3, .rows = 1, .dtype = dtype}, 1500));
    ExpectSame(LongSegmentScene({.n_heads = 1, .n_kv_heads = 1, .rows = 3, .dtype = dtype}, 700));
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, TableAttendTest, ::testing::ValuesIn(TablesHere()), NameOf);

}  // namespace
}  // namespace anabranch::testing
