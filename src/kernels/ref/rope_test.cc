#include "kernels/ref/rope.h"

#include <gtest/gtest.h>
// RapidCheck's macros want GoogleTest's before them.
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace anabranch::ref {
namespace {

constexpr int32_t kRotDim = 64;
constexpr long double kTwoPi = 2.0L * std::numbers::pi_v<long double>;

std::vector<long double> Thetas() {
  std::vector<long double> thetas;
  for (int j = 0; j < kRotDim / 2; ++j) {
    thetas.push_back(std::pow(100000.0L, -2.0L * j / kRotDim));
  }
  return thetas;
}

// inc = 2^64 theta / 2 pi, as models make it.
std::vector<uint64_t> Increments() {
  std::vector<uint64_t> inc;
  for (long double theta : Thetas()) {
    inc.push_back(static_cast<uint64_t>(std::round(0x1p64L * theta / kTwoPi)));
  }
  return inc;
}

struct Angles {
  std::vector<float> cos = std::vector<float>(kRotDim / 2), sin = cos;
};

Angles AnglesAt(std::vector<uint64_t>& inc, int64_t position, float mscale = 1.0f) {
  Angles angles;
  const Rope rope{{reinterpret_cast<unsigned char*>(inc.data())}, kRotDim, false, mscale};
  RopeAngles(rope, position, angles.cos.data(), angles.sin.data());
  return angles;
}

TEST(RopeTest, AnglesArePositionTimesTheta) {
  auto inc = Increments();
  const auto thetas = Thetas();
  for (int64_t position : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{8191}, int64_t{-77777},
                           int64_t{1} << 24, (int64_t{1} << 40) + 12345}) {
    const Angles got = AnglesAt(inc, position);
    for (size_t j = 0; j < thetas.size(); ++j) {
      const long double angle = static_cast<long double>(position) * thetas[j];
      // inc is off by half of 2^-64 turns at most, the long double product by half of its last bit.
      const long double drift =
          std::abs(static_cast<long double>(position)) * (0x1p-65L * kTwoPi + 0x1p-64L);
      const auto tolerance = static_cast<double>(drift + 0x1p-24L);
      ASSERT_NEAR(got.cos[j], static_cast<double>(std::cos(angle)), tolerance) << position;
      ASSERT_NEAR(got.sin[j], static_cast<double>(std::sin(angle)), tolerance) << position;
    }
  }
}

RC_GTEST_PROP(RopeTest, AnglesAreExactModuloATurnAtAnyPosition, ()) {
  auto inc = Increments();
  // RapidCheck's integers grow with its size; shifted, they reach every magnitude.
  const auto bits = *rc::gen::arbitrary<uint64_t>() << *rc::gen::inRange(0, 31);
  const auto position = static_cast<int64_t>(bits);
  const Angles got = AnglesAt(inc, position);
  for (size_t j = 0; j < inc.size(); ++j) {
    const auto product = static_cast<__int128>(position) * static_cast<__int128>(inc[j]);
    const auto phase = static_cast<uint64_t>(product);  // modulo one turn
    const long double angle = static_cast<long double>(phase) * 0x1p-64L * kTwoPi;
    RC_ASSERT(std::abs(got.cos[j] - static_cast<double>(std::cos(angle))) <= 0x1p-24);
    RC_ASSERT(std::abs(got.sin[j] - static_cast<double>(std::sin(angle))) <= 0x1p-24);
  }
}

TEST(RopeTest, MscaleMultipliesSineAndCosine) {
  auto inc = Increments();
  const Angles one = AnglesAt(inc, 99), half = AnglesAt(inc, 99, 0.5f);
  for (size_t j = 0; j < inc.size(); ++j) {
    EXPECT_EQ(half.cos[j], one.cos[j] / 2);
    EXPECT_EQ(half.sin[j], one.sin[j] / 2);
  }
}

// A quarter turn sends (1, 0) to (0, 1): which elements form a pair is all that differs.
TEST(RopeTest, PairsAreHalvesOrNeighbours) {
  const float cos[] = {0.0f, 1.0f}, sin[] = {1.0f, 0.0f};
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  std::vector<float> out(x.size());
  RopeRotate(Rope{{}, 4, false, 1.0f}, cos, sin, x.data(), 6, out.data());
  EXPECT_EQ(out, (std::vector<float>{-3, 2, 1, 4, 5, 6}));
  RopeRotate(Rope{{}, 4, true, 1.0f}, cos, sin, x.data(), 6, out.data());
  EXPECT_EQ(out, (std::vector<float>{-2, 1, 3, 4, 5, 6}));
  std::vector<float> in_place = x;
  RopeRotate(Rope{{}, 4, false, 1.0f}, cos, sin, in_place.data(), 6, in_place.data());
  EXPECT_EQ(in_place, (std::vector<float>{-3, 2, 1, 4, 5, 6}));
}

}  // namespace
}  // namespace anabranch::ref
