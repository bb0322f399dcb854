// The reference's products against plain loops in f64 over the dequantised weights.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/kernel_test.h"

namespace anabranch::testing {
namespace {

// Sums in F32 of n products err by at most n 2^-24 of the sum of their magnitudes (Higham 2002,
// section 3.1).
struct Product {
  double value = 0.0, magnitude = 0.0;
  double tolerance(int32_t n) const { return n * 0x1p-24 * magnitude; }
};

Product Dot64(const float* a, const float* b, int32_t n) {
  Product p;
  for (int32_t i = 0; i < n; ++i) {
    const double term = static_cast<double>(a[i]) * static_cast<double>(b[i]);
    p.value += term;
    p.magnitude += std::abs(term);
  }
  return p;
}

double Silu64(double x) { return x / (1.0 + std::exp(-x)); }

TEST(RefMatmulTest, IsTheProductWithTheDequantisedWeightForEveryType) {
  constexpr int32_t kRows = 3, kCols = 256, kOut = 19;  // no multiple of the rows of a task
  for (GgufType type : kAllGgufTypes) {
    TestBackend backend(kRefKernels);
    const auto raw = RandomRaw(type, kOut, kCols, 1);
    const auto weight = ValuesOf(type, raw);
    const auto x = RandomFloats(kRows * kCols, 2);
    const Weight w = backend.Pack(type, kOut, kCols, raw);
    const Mat out = backend.Output(kRows, kOut);
    backend.table().matmul(backend.exec(), backend.Matrix(kRows, kCols, x), {&w, 1}, {nullptr, 0},
                           false, {&out, 1});
    const auto got = backend.Download(out);
    for (int32_t r = 0; r < kRows; ++r) {
      for (int32_t o = 0; o < kOut; ++o) {
        const Product want = Dot64(&x[static_cast<size_t>(r * kCols)],
                                   &weight[static_cast<size_t>(o * kCols)], kCols);
        ASSERT_NEAR(got[static_cast<size_t>(r * kOut + o)], want.value, want.tolerance(kCols))
            << GgufTypeName(type) << " row " << r << " out " << o;
      }
    }
  }
}

TEST(RefMatmulTest, AddsToEachOutputAndItsOwnBias) {
  constexpr int32_t kRows = 2, kCols = 17;
  TestBackend backend(kRefKernels);
  const int32_t outs[] = {9, 4, 8};
  std::vector<std::vector<float>> weights, before;
  std::vector<Weight> w;
  std::vector<Mat> out;
  const auto x = RandomFloats(kRows * kCols, 3);
  const auto bias = RandomFloats(4, 4);
  for (uint32_t i = 0; i < 3; ++i) {
    const auto raw = RandomRaw(GgufType::kF32, outs[i], kCols, 5 + i);
    weights.push_back(ValuesOf(GgufType::kF32, raw));
    before.push_back(RandomFloats(kRows * outs[i], 8 + i));
    w.push_back(backend.Pack(GgufType::kF32, outs[i], kCols, raw));
    out.push_back(backend.Matrix(kRows, outs[i], before.back()));
  }
  const DevPtr biases[] = {{}, backend.Upload(bias), {}};  // of the second weight alone
  backend.table().matmul(backend.exec(), backend.Matrix(kRows, kCols, x), {w.data(), 3},
                         {biases, 3}, true, {out.data(), 3});
  for (size_t i = 0; i < 3; ++i) {
    const auto got = backend.Download(out[i]);
    for (int32_t r = 0; r < kRows; ++r) {
      for (int32_t o = 0; o < outs[i]; ++o) {
        const auto at = static_cast<size_t>(r * outs[i] + o);
        const Product product = Dot64(&x[static_cast<size_t>(r * kCols)],
                                      &weights[i][static_cast<size_t>(o * kCols)], kCols);
        const double base = before[i][at] + (i == 1 ? bias[static_cast<size_t>(o)] : 0.0f);
        EXPECT_NEAR(got[at], base + product.value, product.tolerance(kCols) + 1e-6);
      }
    }
  }
}

TEST(RefMatmulTest, GatedMultipliesTheActivatedGateWithUp) {
  constexpr int32_t kRows = 3, kCols = 40, kOut = 11;
  TestBackend backend(kRefKernels);
  const auto x = RandomFloats(kRows * kCols, 1);
  const auto gate_raw = RandomRaw(GgufType::kF16, kOut, kCols, 2);
  const auto up_raw = RandomRaw(GgufType::kF32, kOut, kCols, 3);
  const auto gate = ValuesOf(GgufType::kF16, gate_raw), up = ValuesOf(GgufType::kF32, up_raw);
  const Mat out = backend.Output(kRows, kOut);
  backend.table().gated(backend.exec(), backend.Matrix(kRows, kCols, x),
                        backend.Pack(GgufType::kF16, kOut, kCols, gate_raw),
                        backend.Pack(GgufType::kF32, kOut, kCols, up_raw), Activation::kSilu, out);
  const auto got = backend.Download(out);
  for (int32_t r = 0; r < kRows; ++r) {
    for (int32_t o = 0; o < kOut; ++o) {
      const float* row = &x[static_cast<size_t>(r * kCols)];
      const auto column = static_cast<size_t>(o * kCols);
      const double want =
          Silu64(Dot64(row, &gate[column], kCols).value) * Dot64(row, &up[column], kCols).value;
      EXPECT_NEAR(got[static_cast<size_t>(r * kOut + o)], want, 1e-5);
    }
  }
}

TEST(RefMatmulTest, EmbedScalesTheRowsOfItsIds) {
  constexpr int32_t kVocab = 6, kCols = 256;
  TestBackend backend(kRefKernels);
  const auto raw = RandomRaw(GgufType::kQ6_K, kVocab, kCols, 1);
  const auto values = ValuesOf(GgufType::kQ6_K, raw);
  const std::vector<int32_t> ids = {5, 0, 5};
  const Mat out = backend.Output(3, kCols);
  backend.table().embed(backend.exec(), backend.Pack(GgufType::kQ6_K, kVocab, kCols, raw),
                        backend.Upload(ids), 3.0f, out);
  const auto got = backend.Download(out);
  for (size_t r = 0; r < ids.size(); ++r) {
    for (size_t c = 0; c < kCols; ++c) {
      ASSERT_EQ(got[r * kCols + c], 3.0f * values[static_cast<size_t>(ids[r]) * kCols + c]);
    }
  }
}

TEST(RefMatmulTest, ScanScoresEveryVector) {
  constexpr int32_t kVectors = 300, kCols = 30;  // more vectors than a task has
  TestBackend backend(kRefKernels);
  const auto vectors = RandomFloats(kVectors * kCols, 1), query = RandomFloats(kCols, 2);
  const Mat scores = backend.Output(1, kVectors);
  backend.table().scan(backend.exec(), backend.Matrix(kVectors, kCols, vectors),
                       backend.Matrix(1, kCols, query), scores);
  const auto got = backend.Download(scores);
  for (int32_t i = 0; i < kVectors; ++i) {
    const Product want = Dot64(&vectors[static_cast<size_t>(i * kCols)], query.data(), kCols);
    ASSERT_NEAR(got[static_cast<size_t>(i)], want.value, want.tolerance(kCols));
  }
}

TEST(RefMatmulTest, ScanCodesMultipliesWhatTheBlocksHold) {
  TestBackend backend(kRefKernels);
  constexpr int32_t kCodes = 3, kWidth = 32, kBlockRows = 2;
  std::vector<int8_t> first(kBlockRows * kWidth), second(kBlockRows * kWidth);
  first[0] = -128;
  first[kWidth + 31] = 127;
  second[5] = 3;
  std::vector<int16_t> queries(2 * kWidth);
  queries[0] = kMaxQueryCode;
  queries[31] = -2;
  queries[kWidth + 5] = 7;
  const DevPtr blocks[] = {backend.Upload(first), backend.Upload(second)};
  std::vector<int32_t> dots(2 * kCodes);
  backend.table().scan_codes(backend.exec(), {blocks, kCodes, kBlockRows, kWidth},
                             {queries.data(), 2 * kWidth}, dots.data());
  EXPECT_EQ(dots, (std::vector<int32_t>{-128 * kMaxQueryCode, -254, 0, 0, 0, 21}));
}

}  // namespace
}  // namespace anabranch::testing
