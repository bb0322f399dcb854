// Every table's products against the reference's, for every weight type and the edges of shapes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/kernel_test.h"

namespace anabranch::testing {
namespace {

// A random weight, as in a file and as numbers [rows, cols].
struct TestWeight {
  TestWeight(GgufType t, int32_t n_rows, int32_t n_cols, uint32_t seed)
      : type(t),
        rows(n_rows),
        cols(n_cols),
        raw(RandomRaw(t, n_rows, n_cols, seed)),
        values(ValuesOf(t, raw)) {}

  Weight PackOn(TestBackend& backend) const { return backend.Pack(type, rows, cols, raw); }
  const float* row(int32_t r) const { return &values[static_cast<size_t>(r) * size_t(cols)]; }

  GgufType type;
  int32_t rows, cols;
  std::vector<unsigned char> raw;
  std::vector<float> values;
};

// Activations with outliers, as real ones have, and a block of zeros.
std::vector<float> Activations(int32_t rows, int32_t cols, uint32_t seed) {
  auto x = RandomFloats(int64_t{rows} * cols, seed);
  for (size_t i = 0; i < x.size(); i += 97) x[i] *= 20.0f;
  std::fill_n(x.begin(), std::min<size_t>(x.size(), 32), 0.0f);
  return x;
}

// How far a table's product of x with a row of a weight may be from the reference's.
//
// Both add in F32: sums of n terms err by at most n 2^-24 of the sum of the terms' magnitudes. A
// table may add scale * quant and minimum on their own, which makes terms up to 4 max|w| |x|.
//
// Quantised weights: the table may round x to 8 bits in blocks of 32, to steps of max|x| / 127. An
// error that is even within half a step has variance step^2 / 12, so the product's error has
// variance sum over blocks of step^2 / 12 * sum of w^2; six deviations are allowed, and never more
// than the sum of all half steps times |w|.
double ProductTolerance(GgufType type, const float* x, const float* w, int32_t n) {
  constexpr int32_t kBlock = 32;
  double variance = 0.0, worst = 0.0, sum_abs_x = 0.0, max_abs_w = 0.0, magnitude = 0.0;
  for (int32_t begin = 0; begin < n; begin += kBlock) {
    double max_abs_x = 0.0, sum_squares = 0.0, sum_abs_w = 0.0;
    for (int32_t i = begin; i < std::min(n, begin + kBlock); ++i) {
      const double xi = std::abs(static_cast<double>(x[i]));
      const double wi = std::abs(static_cast<double>(w[i]));
      max_abs_x = std::max(max_abs_x, xi);
      max_abs_w = std::max(max_abs_w, wi);
      sum_squares += wi * wi;
      sum_abs_w += wi;
      sum_abs_x += xi;
      magnitude += xi * wi;
    }
    const double step = max_abs_x / 127.0;
    variance += step * step / 12.0 * sum_squares;
    worst += step / 2.0 * sum_abs_w;
  }
  const double both_sums = 2.0 * n * 0x1p-24;
  if (IsFloatType(type)) return both_sums * magnitude;
  return std::min(6.0 * std::sqrt(variance), worst) + both_sums * 4.0 * max_abs_w * sum_abs_x;
}

double Dot64(const float* a, const float* b, int32_t n) {
  double sum = 0.0;
  for (int32_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

struct Shape {
  int32_t rows, cols, out;
};

// One row and many, outputs that no tile divides, one column block and several.
std::vector<Shape> ShapesOf(GgufType type) {
  const int32_t unit = IsFloatType(type) ? 29 : static_cast<int32_t>(GgufBlockSize(type));
  std::vector<Shape> shapes;
  for (int32_t rows : {0, 1, 2, 3, 7, 33}) shapes.push_back({rows, 3 * unit, 37});
  for (int32_t out : {1, 8, 15, 16, 17, 64}) shapes.push_back({2, unit, out});
  shapes.push_back({64, unit, 5});
  shapes.push_back({5, 768, 20});
  if (IsFloatType(type)) shapes.push_back({5, 1, 3});
  return shapes;
}

class TableMatmulTest : public TableTest {
 protected:
  // tolerance(x, w): how far the product of two rows may be from the reference's.
  template <typename Tolerance>
  void ExpectProducts(GgufType type, const Shape& shape, FloatWeights floats, uint32_t seed,
                      const Tolerance& tolerance) {
    const TestWeight w(type, shape.out, shape.cols, seed);
    const auto x = Activations(shape.rows, shape.cols, seed + 1);
    RunBoth([&](TestBackend& backend) {
      const Weight packed = backend.Pack(type, w.rows, w.cols, w.raw, floats);
      const Mat out = backend.Output(shape.rows, shape.out);
      backend.table().matmul(backend.exec(), backend.Matrix(shape.rows, shape.cols, x),
                             {&packed, 1}, {nullptr, 0}, false, {&out, 1});
      return backend.Download(out);
    });
    for (int32_t r = 0; r < shape.rows; ++r) {
      const float* row = &x[static_cast<size_t>(r * shape.cols)];
      for (int32_t o = 0; o < shape.out; ++o) {
        const auto at = static_cast<size_t>(r * shape.out + o);
        ASSERT_NEAR(got_[at], want_[at], tolerance(row, w.row(o)))
            << GgufTypeName(type) << " " << shape.rows << "x" << shape.cols << "x" << shape.out
            << " row " << r << " out " << o;
      }
    }
  }
};

TEST_P(TableMatmulTest, ProductsOfEveryTypeAndShapeAreTheReferences) {
  uint32_t seed = 1;
  for (GgufType type : kAllGgufTypes) {
    for (const Shape& shape : ShapesOf(type)) {
      ExpectProducts(
          type, shape, FloatWeights::kExact, seed += 2,
          [&](const float* x, const float* w) { return ProductTolerance(type, x, w, shape.cols); });
    }
  }
}

// As q, k and v of a model whose matrices have several types.
TEST_P(TableMatmulTest, WeightsOfOneCallMayDifferInTypeRowsAndBias) {
  constexpr int32_t kRows = 3, kCols = 256;
  const TestWeight weights[] = {{GgufType::kQ4_K, 40, kCols, 1},
                                {GgufType::kF32, 9, kCols, 2},
                                {GgufType::kQ6_K, 23, kCols, 3}};
  const auto x = Activations(kRows, kCols, 4);
  const auto bias = RandomFloats(9, 5);
  for (bool add : {false, true}) {
    for (bool with_bias : {false, true}) {
      RunBoth([&](TestBackend& backend) {
        std::vector<Weight> packed;
        std::vector<Mat> out;
        for (const TestWeight& w : weights) {
          packed.push_back(w.PackOn(backend));
          out.push_back(backend.Matrix(kRows, w.rows, RandomFloats(int64_t{kRows} * w.rows, 6)));
        }
        const DevPtr biases[] = {{}, backend.Upload(bias), {}};
        backend.table().matmul(backend.exec(), backend.Matrix(kRows, kCols, x), {packed.data(), 3},
                               {with_bias ? biases : nullptr, with_bias ? 3 : 0}, add,
                               {out.data(), 3});
        std::vector<float> all;
        for (const Mat& m : out) {
          const auto values = backend.Download(m);
          all.insert(all.end(), values.begin(), values.end());
        }
        return all;
      });
      size_t at = 0;
      for (const TestWeight& w : weights) {
        for (int32_t r = 0; r < kRows; ++r) {
          for (int32_t o = 0; o < w.rows; ++o, ++at) {
            const float* row = &x[static_cast<size_t>(r * kCols)];
            ASSERT_NEAR(got_[at], want_[at],
                        ProductTolerance(w.type, row, w.row(o), kCols) + 0x1p-21)
                << GgufTypeName(w.type) << " add " << add << " bias " << with_bias;
          }
        }
      }
    }
  }
}

TEST_P(TableMatmulTest, GatedIsTheReferencesForEveryTypeAndActivation) {
  constexpr int32_t kOut = 21;
  uint32_t seed = 1;
  for (GgufType type : kAllGgufTypes) {
    for (Activation activation : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh}) {
      for (int32_t rows : {0, 1, 9}) {
        constexpr int32_t kCols = 256;
        const TestWeight gate(type, kOut, kCols, seed++), up(type, kOut, kCols, seed++);
        const auto x = Activations(rows, kCols, seed++);
        RunBoth([&](TestBackend& backend) {
          const Mat out = backend.Output(rows, kOut);
          backend.table().gated(backend.exec(), backend.Matrix(rows, kCols, x),
                                gate.PackOn(backend), up.PackOn(backend), activation, out);
          return backend.Download(out);
        });
        for (int32_t r = 0; r < rows; ++r) {
          for (int32_t o = 0; o < kOut; ++o) {
            const float* row = &x[static_cast<size_t>(r * kCols)];
            const double g = std::abs(Dot64(row, gate.row(o), kCols));
            const double u = std::abs(Dot64(row, up.row(o), kCols));
            const double g_error = ProductTolerance(type, row, gate.row(o), kCols);
            const double u_error = ProductTolerance(type, row, up.row(o), kCols);
            // |act(g)| <= |g| and |act'(g)| < 1.2; the activation itself errs by 2^-20 of g.
            const double tolerance = 1.2 * g_error * (u + u_error) + g * u_error + 0x1p-20 * g * u;
            const auto at = static_cast<size_t>(r * kOut + o);
            ASSERT_NEAR(got_[at], want_[at], tolerance) << GgufTypeName(type);
          }
        }
      }
    }
  }
}

TEST_P(TableMatmulTest, EmbedGivesTheValuesOfEveryType) {
  constexpr int32_t kVocab = 35, kCols = 256;
  const std::vector<int32_t> ids = {34, 0, 17, 17, 16, 15, 31, 32};
  for (GgufType type : kAllGgufTypes) {
    const TestWeight w(type, kVocab, kCols, 3);
    RunBoth([&](TestBackend& backend) {
      const Mat out = backend.Output(static_cast<int32_t>(ids.size()), kCols);
      backend.table().embed(backend.exec(), w.PackOn(backend), backend.Upload(ids), 1.5f, out);
      return backend.Download(out);
    });
    for (size_t r = 0; r < ids.size(); ++r) {
      const float* row = w.row(ids[r]);
      float max_abs = 0.0f;
      for (int32_t c = 0; c < kCols; ++c) max_abs = std::max(max_abs, std::abs(row[c]));
      // A few roundings of scale * quant + minimum, each at most 4 times the row's largest value.
      const double tolerance = 4.0 * 0x1p-22 * static_cast<double>(max_abs);
      for (size_t c = 0; c < kCols; ++c) {
        ASSERT_NEAR(got_[r * kCols + c], want_[r * kCols + c], tolerance) << GgufTypeName(type);
      }
    }
  }
}

TEST_P(TableMatmulTest, WhatBlocksDoNotDivideOrRawBytesDoNotFillIsNotPacked) {
  constexpr FloatWeights kExact = FloatWeights::kExact;
  const KernelTable& table = backend_.table();
  for (GgufType type : kAllGgufTypes) {
    EXPECT_GT(table.packed_bytes(type, 3, 256, kExact), 0u);
    Weight w;
    const auto raw = RandomRaw(type, 3, 256, 1);
    const DevPtr dst = backend_.Alloc(table.packed_bytes(type, 3, 256, kExact));
    const auto n = static_cast<int64_t>(raw.size());
    EXPECT_FALSE(table.pack(backend_.exec(), {raw.data(), n - 1}, type, 3, 256, kExact, dst, &w));
    EXPECT_FALSE(table.pack(backend_.exec(), {raw.data(), n}, type, 2, 256, kExact, dst, &w));
    if (IsFloatType(type)) continue;
    const auto block = static_cast<int32_t>(GgufBlockSize(type));
    EXPECT_EQ(table.packed_bytes(type, 3, block + block / 2, kExact), 0u) << GgufTypeName(type);
    EXPECT_FALSE(
        table.pack(backend_.exec(), {raw.data(), n}, type, 3, block + 16, kExact, dst, &w));
  }
  EXPECT_EQ(table.packed_bytes(static_cast<GgufType>(0x7fff), 3, 256, FloatWeights::kInt16), 0u);
  EXPECT_EQ(table.packed_bytes(static_cast<GgufType>(9), 3, 256, kExact), 0u);
  EXPECT_EQ(table.packed_bytes(static_cast<GgufType>(0xffffffff), 3, 256, kExact), 0u);
  EXPECT_EQ(table.packed_bytes(GgufType::kF32, 0, 256, kExact), 0u);
  EXPECT_EQ(table.packed_bytes(GgufType::kF32, -1, 256, kExact), 0u);
}

// How far products may be from the reference's where weights and activations are rounded to 16 bits
// (kernel_table.h): both errors are even within half a step, so their variance is step^2 / 12 times
// the squares of the other factor. Six deviations and never more than the worst, as above.
double Int16Tolerance(const float* x, const float* w, int32_t n) {
  constexpr int32_t kBlock = 128;
  double variance = 0.0, worst = 0.0, magnitude = 0.0;
  for (int32_t begin = 0; begin < n; begin += kBlock) {
    double max_x = 0.0, max_w = 0.0, sum_x = 0.0, sum_w = 0.0, squares_x = 0.0, squares_w = 0.0;
    for (int32_t i = begin; i < std::min(n, begin + kBlock); ++i) {
      const double xi = std::abs(static_cast<double>(x[i]));
      const double wi = std::abs(static_cast<double>(w[i]));
      max_x = std::max(max_x, xi);
      max_w = std::max(max_w, wi);
      sum_x += xi;
      sum_w += wi;
      squares_x += xi * xi;
      squares_w += wi * wi;
      magnitude += xi * wi;
    }
    const double step_x = max_x / 32767, step_w = std::max(max_w / 32767, sum_w / 65000);
    variance += (step_x * step_x * squares_w + step_w * step_w * squares_x) / 12;
    worst += step_x / 2 * sum_w + step_w / 2 * (sum_x + kBlock * step_x / 2);
  }
  return std::min(6.0 * std::sqrt(variance), worst) + 4.0 * n * 0x1p-24 * magnitude;
}

TEST_P(TableMatmulTest, FloatsMayBeMultipliedIn16Bits) {
  uint32_t seed = 1;
  for (GgufType type : {GgufType::kF32, GgufType::kF16, GgufType::kBF16}) {
    for (const Shape& shape : {Shape{0, 128, 16},
                               {1, 128, 1},
                               {2, 128, 17},
                               {3, 384, 37},
                               {4, 256, 15},
                               {5, 100, 20},
                               {7, 768, 16},
                               {33, 256, 40}}) {
      ExpectProducts(
          type, shape, FloatWeights::kInt16, seed += 2,
          [&](const float* x, const float* w) { return Int16Tolerance(x, w, shape.cols); });
    }
  }
}

// All terms of a block as large as they get, and of one sign: their sum must stay within 32 bits.
TEST_P(TableMatmulTest, NoSumOf16BitProductsOverflows) {
  constexpr int32_t kCols = 128;
  for (const int32_t n_large : {1, 2, 3, 64, 127, 128}) {
    for (const float sign : {1.0f, -1.0f}) {
      std::vector<float> w(kCols, 0.0f), x(kCols, sign * 3e4f);
      std::fill_n(w.begin(), n_large, 5.0f);
      std::vector<unsigned char> raw(w.size() * sizeof(float));
      StoreFloats(DType::kF32, w, raw.data());
      RunBoth([&](TestBackend& backend) {
        const Weight packed = backend.Pack(GgufType::kF32, 1, kCols, raw, FloatWeights::kInt16);
        const Mat out = backend.Output(1, 1);
        backend.table().matmul(backend.exec(), backend.Matrix(1, kCols, x), {&packed, 1},
                               {nullptr, 0}, false, {&out, 1});
        return backend.Download(out);
      });
      // Equal weights are rounded alike: by a thousandth at most, to one of 511 steps or more.
      ASSERT_NEAR(got_[0], want_[0], 0.001f * std::abs(want_[0])) << n_large;
    }
  }
}

TEST_P(TableMatmulTest, WeightsOf16BitsAndQuantisedOnesInOneCallAreAFault) {
  const TestWeight floats(GgufType::kF32, 8, 256, 1), quantised(GgufType::kQ8_0, 8, 256, 2);
  const Weight w[2] = {backend_.Pack(floats.type, 8, 256, floats.raw, FloatWeights::kInt16),
                       quantised.PackOn(backend_)};
  const Mat out[2] = {backend_.Output(1, 8), backend_.Output(1, 8)};
  const Mat x = backend_.Matrix(1, 256, RandomFloats(256, 3));
  const KernelTable& table = backend_.table();
  table.matmul(backend_.exec(), x, {w, 2}, {nullptr, 0}, false, {out, 2});
  const bool is_ref = std::string_view(table.name) == "ref";  // it has no weights of 16 bits
  EXPECT_EQ(table.sync(backend_.exec()) == nullptr, is_ref);
  table.gated(backend_.exec(), x, w[0], w[1], Activation::kSilu, out[0]);
  EXPECT_EQ(table.sync(backend_.exec()) == nullptr, is_ref);
}

TEST_P(TableMatmulTest, EmbedGivesBackWhatWasRoundedTo16Bits) {
  const TestWeight w(GgufType::kF32, 35, 256, 3);
  const std::vector<int32_t> ids = {34, 0, 17};
  RunBoth([&](TestBackend& backend) {
    const Mat out = backend.Output(3, w.cols);
    backend.table().embed(backend.exec(),
                          backend.Pack(w.type, w.rows, w.cols, w.raw, FloatWeights::kInt16),
                          backend.Upload(ids), 1.0f, out);
    return backend.Download(out);
  });
  // Weights of up to 0.1 in either direction: 128 of them add up to 12.8 at most.
  for (size_t i = 0; i < got_.size(); ++i) ASSERT_NEAR(got_[i], want_[i], 12.8 / 65000 / 2);
}

TEST_P(TableMatmulTest, QuantisedWeightsAreMultipliedInBytesByAllButTheReference) {
  const KernelTable& table = backend_.table();
  for (GgufType type : kAllGgufTypes) {
    const char* products = table.products(type);
    ASSERT_NE(products, nullptr) << GgufTypeName(type);
    const bool floats = IsFloatType(type) || std::string_view(table.name) == "ref";
    EXPECT_EQ(std::string_view(products) == "floats", floats) << GgufTypeName(type);
  }
  EXPECT_EQ(table.products(static_cast<GgufType>(9)), nullptr);
}

TEST_P(TableMatmulTest, InputBeyondTheLimitsIsAFaultThatSyncReportsOnce) {
  constexpr int32_t kCols = 2 * TestBackend::kLimits.max_cols;
  const TestWeight w(GgufType::kQ8_0, 8, kCols, 1);
  const Weight packed = w.PackOn(backend_);
  const Mat x = backend_.Matrix(1, kCols, RandomFloats(kCols, 2)), out = backend_.Output(1, 8);
  const KernelTable& table = backend_.table();
  EXPECT_EQ(table.sync(backend_.exec()), nullptr);
  table.matmul(backend_.exec(), x, {&packed, 1}, {nullptr, 0}, false, {&out, 1});
  EXPECT_NE(table.sync(backend_.exec()), nullptr);
  EXPECT_EQ(table.sync(backend_.exec()), nullptr);
  table.gated(backend_.exec(), x, packed, packed, Activation::kSilu, out);
  EXPECT_NE(table.sync(backend_.exec()), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Tables, TableMatmulTest, ::testing::ValuesIn(TablesHere()), NameOf);

}  // namespace
}  // namespace anabranch::testing
