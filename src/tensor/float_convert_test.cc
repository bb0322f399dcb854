// The 16-bit conversions on every 16-bit number, and on every border between two of them.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/dequantize.h"

namespace anabranch {
namespace {

struct Format {
  const char* name;
  int exponent_bits, mantissa_bits;
  float (*to_f32)(uint16_t);
  uint16_t (*from_f32)(float);

  uint16_t infinity() const {
    return static_cast<uint16_t>(((1 << exponent_bits) - 1) << mantissa_bits);
  }
  // The value of finite positive bits, from the definition; that of the infinity is the power of
  // two that would come next, so that the last border is half way to it.
  double Value(uint16_t bits) const {
    const int exponent = bits >> mantissa_bits, mantissa = bits & ((1 << mantissa_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const double fraction = std::ldexp(mantissa, -mantissa_bits);
    if (exponent == 0) return std::ldexp(fraction, 1 - bias);
    return std::ldexp(1.0 + fraction, exponent - bias);
  }
};

constexpr uint16_t kSign = 0x8000;
const Format kFormats[] = {
    {"F16", 5, 10, F16ToF32, F32ToF16},
    {"BF16", 8, 7, Bf16ToF32, F32ToBf16},
};

class FloatConvertTest : public ::testing::TestWithParam<Format> {};

TEST_P(FloatConvertTest, EveryNumberHasItsValueAndComesBack) {
  const Format& format = GetParam();
  for (uint16_t bits = 0; bits < format.infinity(); ++bits) {
    const auto negative = static_cast<uint16_t>(bits | kSign);
    ASSERT_EQ(static_cast<double>(format.to_f32(bits)), format.Value(bits)) << bits;
    ASSERT_EQ(static_cast<double>(format.to_f32(negative)), -format.Value(bits)) << bits;
    ASSERT_TRUE(std::signbit(format.to_f32(negative)));
    ASSERT_EQ(format.from_f32(format.to_f32(bits)), bits);
    ASSERT_EQ(format.from_f32(format.to_f32(negative)), negative);
  }
}

TEST_P(FloatConvertTest, InfinitiesAndNansStayWhatTheyAre) {
  const Format& format = GetParam();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(format.to_f32(format.infinity()), infinity);
  EXPECT_EQ(format.to_f32(format.infinity() | kSign), -infinity);
  EXPECT_EQ(format.from_f32(infinity), format.infinity());
  EXPECT_EQ(format.from_f32(-infinity), format.infinity() | kSign);
  for (int bits = format.infinity() + 1; bits < kSign; ++bits) {
    const float nan = format.to_f32(static_cast<uint16_t>(bits));
    ASSERT_TRUE(std::isnan(nan));
    ASSERT_TRUE(std::isnan(format.to_f32(format.from_f32(nan))));
  }
  // A NaN whose payload has only low bits must not turn into infinity.
  EXPECT_TRUE(std::isnan(format.to_f32(format.from_f32(std::bit_cast<float>(0x7f800001u)))));
}

TEST_P(FloatConvertTest, RoundsToTheNearestAndTiesToEven) {
  const Format& format = GetParam();
  const float infinity = std::numeric_limits<float>::infinity();
  for (uint16_t low = 0; low < format.infinity(); ++low) {
    const auto high = static_cast<uint16_t>(low + 1);
    const double exact = (format.Value(low) + format.Value(high)) / 2;
    const auto border = static_cast<float>(exact);
    // Half of BF16's smallest step is a number of F32 still; above the largest one there is none.
    ASSERT_EQ(static_cast<double>(border), exact);
    ASSERT_EQ(format.from_f32(border), low % 2 == 0 ? low : high) << low;
    ASSERT_EQ(format.from_f32(std::nextafter(border, 0.0f)), low) << low;
    ASSERT_EQ(format.from_f32(std::nextafter(border, infinity)), high) << low;
    ASSERT_EQ(format.from_f32(-border), (low % 2 == 0 ? low : high) | kSign) << low;
  }
  EXPECT_EQ(format.from_f32(std::numeric_limits<float>::max()), format.infinity());
}

TEST_P(FloatConvertTest, ManyAtOnceAreEachLikeOne) {
  const Format& format = GetParam();
  const DType dtype = format.mantissa_bits == 10 ? DType::kF16 : DType::kBF16;
  std::vector<float> values;
  for (int i = -100; i < 100; ++i) values.push_back(static_cast<float>(i) * 1.01f);
  std::vector<unsigned char> bytes(values.size() * 2 + 1);
  StoreFloats(dtype, values, bytes.data() + 1);  // at an odd address
  std::vector<float> back(values.size());
  LoadFloats(dtype, bytes.data() + 1, back);
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(back[i], format.to_f32(format.from_f32(values[i])));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, FloatConvertTest, ::testing::ValuesIn(kFormats),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(FloatConvertTest, FloatsAreCopied) {
  const std::vector<float> values = {1.0f, -2.5f, 1e-30f};
  std::vector<unsigned char> bytes(values.size() * sizeof(float));
  std::vector<float> back(values.size());
  StoreFloats(DType::kF32, values, bytes.data());
  LoadFloats(DType::kF32, bytes.data(), back);
  EXPECT_EQ(back, values);
}

TEST(FloatConvertTest, BlocksOf8BitsHoldTheLargestAndRoundTheOthers) {
  std::vector<float> values(2 * kQ8Block, 0.0f);  // the second block is all zeros
  for (size_t i = 0; i < kQ8Block; ++i) values[i] = (static_cast<float>(i) - 10.3f) * 0.7f;
  std::vector<unsigned char> bytes(static_cast<size_t>(DTypeBytes(DType::kQ8, 2 * kQ8Block)));
  ASSERT_EQ(bytes.size(), 72u);
  StoreFloats(DType::kQ8, values, bytes.data());
  std::vector<float> back(values.size());
  LoadFloats(DType::kQ8, bytes.data(), back);
  const float step = 20.7f * 0.7f / 127;
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(back[i], values[i], step / 2 * 1.001f);
  EXPECT_FLOAT_EQ(back[kQ8Block - 1], values[kQ8Block - 1]);
  EXPECT_EQ(back[kQ8Block], 0.0f);
}

}  // namespace
}  // namespace anabranch
