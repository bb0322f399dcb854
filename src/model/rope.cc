#include "model/rope.h"

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace anabranch {
namespace {

long double Theta(const RopeConfig& config) {
  const long double theta = config.theta;
  if (config.scaling != RopeScaling::kNtk || config.n_rot <= 2) return theta;
  const long double exponent = static_cast<long double>(config.n_rot) / (config.n_rot - 2);
  return theta * std::pow(static_cast<long double>(config.factor), exponent);
}

}  // namespace

std::vector<uint64_t> RopeIncrements(const RopeConfig& config,
                                     std::span<const float> freq_factors) {
  const auto n = static_cast<size_t>(config.n_rot / 2);
  ANABRANCH_CHECK(freq_factors.empty() || freq_factors.size() == n);
  const long double theta = Theta(config);
  const long double position_scale =
      config.scaling == RopeScaling::kLinear ? static_cast<long double>(config.factor) : 1.0L;
  std::vector<uint64_t> increments(n);
  for (size_t j = 0; j < n; ++j) {
    const long double exponent = -2.0L * static_cast<long double>(j) / config.n_rot;
    long double frequency = std::pow(theta, exponent) / position_scale;
    if (!freq_factors.empty()) frequency /= static_cast<long double>(freq_factors[j]);
    const long double turns = frequency / (2 * std::numbers::pi_v<long double>);
    // Whole turns are none; a fraction that rounds up to a whole turn is one too.
    const long double phase = std::round((turns - std::floor(turns)) * 0x1p64L);
    increments[j] = phase < 0x1p64L ? static_cast<uint64_t>(phase) : 0;
  }
  return increments;
}

}  // namespace anabranch
