#include "model/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace anabranch {
namespace {

// The angle at a position, as kernels take it from the fixed-point phase.
double Angle(uint64_t inc, uint64_t position) {
  return static_cast<double>(position * inc) * 0x1p-64 * 2 * std::numbers::pi;
}

// Of two angles, around the circle.
double Distance(double a, double b) {
  return std::abs(std::remainder(a - b, 2 * std::numbers::pi));
}

TEST(Rope, AnglesArePositionsTimesFrequencies) {
  const std::vector<uint64_t> inc = RopeIncrements({.n_rot = 64, .theta = 100000.0f}, {});
  ASSERT_EQ(inc.size(), 32u);
  for (const uint64_t position : {0u, 1u, 7u, 1000u, 1000000u}) {
    for (size_t j = 0; j < inc.size(); ++j) {
      const double frequency = std::pow(100000.0, -2.0 * static_cast<double>(j) / 64);
      EXPECT_LT(Distance(Angle(inc[j], position), static_cast<double>(position) * frequency), 1e-9);
    }
  }
}

TEST(Rope, NoDriftAtTheTwoToTheFortiethPosition) {
  const std::vector<uint64_t> inc = RopeIncrements({.n_rot = 16}, {});
  const uint64_t far = uint64_t{1} << 40;
  for (size_t j = 0; j < inc.size(); ++j) {
    // long double has 64 bits: 2^40 radians to 2^-23 of one.
    const long double frequency = std::pow(10000.0L, -2.0L * static_cast<long double>(j) / 16);
    const long double angle = std::remainder(static_cast<long double>(far) * frequency,
                                             2 * std::numbers::pi_v<long double>);
    EXPECT_LT(Distance(Angle(inc[j], far), static_cast<double>(angle)), 1e-6);
  }
}

TEST(Rope, LinearScalingDividesPositions) {
  const std::vector<uint64_t> plain = RopeIncrements({.n_rot = 32}, {});
  const std::vector<uint64_t> scaled =
      RopeIncrements({.n_rot = 32, .scaling = RopeScaling::kLinear, .factor = 4.0f}, {});
  for (size_t j = 0; j < plain.size(); ++j) {
    EXPECT_LT(Distance(Angle(scaled[j], 4000), Angle(plain[j], 1000)), 1e-9);
  }
}

TEST(Rope, NtkScalingKeepsTheFastestPairAndSlowsTheSlowestByTheFactor) {
  const std::vector<uint64_t> plain = RopeIncrements({.n_rot = 32}, {});
  const std::vector<uint64_t> scaled =
      RopeIncrements({.n_rot = 32, .scaling = RopeScaling::kNtk, .factor = 4.0f}, {});
  EXPECT_EQ(scaled.front(), plain.front());
  EXPECT_NEAR(static_cast<double>(plain.back()) / static_cast<double>(scaled.back()), 4.0, 1e-9);
}

TEST(Rope, FrequencyFactorsDivide) {
  const std::vector<float> factors = {1.0f, 2.0f, 8.0f, 0.125f};
  const std::vector<uint64_t> plain = RopeIncrements({.n_rot = 8}, {});
  const std::vector<uint64_t> divided = RopeIncrements({.n_rot = 8}, factors);
  EXPECT_EQ(divided[0], plain[0]);
  for (size_t j = 0; j < 4; ++j) {
    const double frequency = std::pow(10000.0, -2.0 * static_cast<double>(j) / 8);
    EXPECT_LT(Distance(Angle(divided[j], 100), 100 * frequency / static_cast<double>(factors[j])),
              1e-9);
  }
}

TEST(Rope, AFrequencyOfMoreThanATurnWrapsAround) {
  const std::vector<float> factors = {0.125f};  // 8 radians per position
  const std::vector<uint64_t> inc = RopeIncrements({.n_rot = 2}, factors);
  EXPECT_LT(Distance(Angle(inc[0], 1), 8.0), 1e-9);
}

}  // namespace
}  // namespace anabranch
