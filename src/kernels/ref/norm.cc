#include <cmath>
#include <numbers>

#include "base/check.h"
#include "kernels/ref/ref.h"

namespace anabranch::ref {

// RMSNorm: Zhang and Sennrich 2019 (arXiv 1910.07467), equation 4, with eps under the root.
void RmsNorm(Exec& exec, Mat x, DevPtr gain, float eps, Mat out) {
  ANABRANCH_CHECK(out.rows == x.rows && out.cols == x.cols);
  ParallelFor(exec, x.rows, [=](int64_t r, int) {
    const float* in = Row(x, r);
    float* y = Row(out, r);
    double sum_of_squares = 0.0;
    for (int32_t c = 0; c < x.cols; ++c) sum_of_squares += static_cast<double>(in[c]) * in[c];
    const auto scale = static_cast<float>(1.0 / std::sqrt(sum_of_squares / x.cols + eps));
    for (int32_t c = 0; c < x.cols; ++c) y[c] = in[c] * scale * As<const float>(gain)[c];
  });
}

// LayerNorm: Ba, Kiros and Hinton 2016 (arXiv 1607.06450), equation 4; the variance is biased.
void LayerNorm(Exec& exec, Mat x, DevPtr gain, DevPtr bias, float eps, Mat out) {
  ANABRANCH_CHECK(out.rows == x.rows && out.cols == x.cols);
  ParallelFor(exec, x.rows, [=](int64_t r, int) {
    const float* in = Row(x, r);
    float* y = Row(out, r);
    double sum = 0.0;
    for (int32_t c = 0; c < x.cols; ++c) sum += in[c];
    const double mean = sum / x.cols;
    double sum_of_squares = 0.0;
    for (int32_t c = 0; c < x.cols; ++c) sum_of_squares += (in[c] - mean) * (in[c] - mean);
    const double scale = 1.0 / std::sqrt(sum_of_squares / x.cols + eps);
    for (int32_t c = 0; c < x.cols; ++c) {
      const auto normal = static_cast<float>((in[c] - mean) * scale);
      y[c] = normal * As<const float>(gain)[c] + As<const float>(bias)[c];
    }
  });
}

// GELU, its form with tanh, and SiLU: Hendrycks and Gimpel 2016 (arXiv 1606.08415), section 2.
float Activate(Activation activation, float x) {
  constexpr float kHalfSqrt2 = std::numbers::sqrt2_v<float> / 2;
  constexpr float kSqrt2OverPi = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;
  switch (activation) {
    case Activation::kSilu:
      return x / (1.0f + std::exp(-x));
    case Activation::kGelu:
      return 0.5f * x * (1.0f + std::erf(x * kHalfSqrt2));
    case Activation::kGeluTanh:
      return 0.5f * x * (1.0f + std::tanh(kSqrt2OverPi * (x + 0.044715f * x * x * x)));
  }
  return x;
}

void Activate(Exec& exec, Mat x, Activation activation) {
  ParallelFor(exec, x.rows, [=](int64_t r, int) {
    for (int32_t c = 0; c < x.cols; ++c) Row(x, r)[c] = Activate(activation, Row(x, r)[c]);
  });
}

}  // namespace anabranch::ref
