// The reference's row operations against their definitions in f64.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/kernel_test.h"

namespace anabranch::testing {
namespace {

constexpr int32_t kRows = 3, kCols = 37;
constexpr float kEps = 1e-3f;

// Results are near 1 and computed in f64 but for a few F32 roundings.
constexpr double kTolerance = 4 * 0x1p-22;

TEST(RefNormTest, RmsNormDividesByTheRootMeanSquare) {
  TestBackend backend(kRefKernels);
  const auto x = RandomFloats(kRows * kCols, 1), gain = RandomFloats(kCols, 2);
  const Mat out = backend.Output(kRows, kCols);
  backend.table().rms_norm(backend.exec(), backend.Matrix(kRows, kCols, x), backend.Upload(gain),
                           kEps, out);
  const auto got = backend.Download(out);
  for (size_t r = 0; r < kRows; ++r) {
    double squares = 0.0;
    for (size_t c = 0; c < kCols; ++c) squares += std::pow(x[r * kCols + c], 2);
    const double root = std::sqrt(squares / kCols + kEps);
    for (size_t c = 0; c < kCols; ++c) {
      EXPECT_NEAR(got[r * kCols + c], x[r * kCols + c] / root * gain[c], kTolerance);
    }
  }
}

TEST(RefNormTest, LayerNormHasMeanBiasAndDeviationGainEvenFarFromZero) {
  TestBackend backend(kRefKernels);
  auto x = RandomFloats(kRows * kCols, 1);
  for (float& value : x) value += 1000.0f;  // a one-pass variance in F32 would fail here
  const auto gain = RandomFloats(kCols, 2), bias = RandomFloats(kCols, 3);
  const Mat in_place = backend.Matrix(kRows, kCols, x);
  backend.table().layer_norm(backend.exec(), in_place, backend.Upload(gain), backend.Upload(bias),
                             kEps, in_place);
  const auto got = backend.Download(in_place);
  for (size_t r = 0; r < kRows; ++r) {
    double mean = 0.0, variance = 0.0;
    for (size_t c = 0; c < kCols; ++c) mean += static_cast<double>(x[r * kCols + c]) / kCols;
    for (size_t c = 0; c < kCols; ++c) variance += std::pow(x[r * kCols + c] - mean, 2) / kCols;
    for (size_t c = 0; c < kCols; ++c) {
      const double normal = (x[r * kCols + c] - mean) / std::sqrt(variance + kEps);
      EXPECT_NEAR(got[r * kCols + c], normal * gain[c] + bias[c], kTolerance);
    }
  }
}

TEST(RefNormTest, ActivationsFollowTheirFormulas) {
  std::vector<float> x;
  for (int i = -400; i <= 400; ++i) x.push_back(static_cast<float>(i) * 0.05f);
  x.insert(x.end(), {-1e4f, 1e4f, -0.0f});
  const auto n = static_cast<int32_t>(x.size());
  const auto gelu = [](double v) { return v * 0.5 * std::erfc(-v / std::numbers::sqrt2); };
  const auto gelu_tanh = [](double v) {
    return v * 0.5 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v)));
  };
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  const auto expect = [&](Activation activation, auto formula) {
    TestBackend backend(kRefKernels);
    const Mat m = backend.Matrix(1, n, x);
    backend.table().activate(backend.exec(), m, activation);
    const auto got = backend.Download(m);
    for (size_t i = 0; i < x.size(); ++i) {
      // 1 + erf and 1 + tanh cancel for negative x: the error is relative to x, not to the result.
      ASSERT_NEAR(got[i], formula(static_cast<double>(x[i])), 0x1p-22 * std::abs(x[i])) << x[i];
    }
  };
  expect(Activation::kSilu, silu);
  expect(Activation::kGelu, gelu);
  expect(Activation::kGeluTanh, gelu_tanh);
}

}  // namespace
}  // namespace anabranch::testing
