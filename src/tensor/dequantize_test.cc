#include "tensor/dequantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace anabranch {
namespace {

struct QuantCase {
  GgufType type;
  const char* name;
  int64_t block_size;
};

constexpr QuantCase kQuantCases[] = {
    {GgufType::kQ4_0, "q4_0", 32},  {GgufType::kQ4_1, "q4_1", 32},  {GgufType::kQ5_0, "q5_0", 32},
    {GgufType::kQ5_1, "q5_1", 32},  {GgufType::kQ8_0, "q8_0", 32},  {GgufType::kQ2_K, "q2_k", 256},
    {GgufType::kQ3_K, "q3_k", 256}, {GgufType::kQ4_K, "q4_k", 256}, {GgufType::kQ5_K, "q5_k", 256},
    {GgufType::kQ6_K, "q6_k", 256},
};

class DequantizeTest : public ::testing::TestWithParam<QuantCase> {};

// Golden files are made by tools/golden/dequant.py: 8 blocks, then their values.
TEST_P(DequantizeTest, ValuesAreThoseOfTheFormat) {
  constexpr size_t kBlocks = 8;
  const QuantCase& c = GetParam();
  std::ifstream file(std::string(ANABRANCH_SOURCE_DIR "/tests/golden/tensor/") + c.name + ".bin",
                     std::ios::binary);
  ASSERT_TRUE(file.good());
  const std::vector<char> golden(std::istreambuf_iterator<char>(file), {});
  const size_t raw_bytes = kBlocks * static_cast<size_t>(GgufBlockBytes(c.type));
  std::vector<float> want(kBlocks * static_cast<size_t>(c.block_size));
  ASSERT_EQ(GgufBlockSize(c.type), c.block_size);
  ASSERT_EQ(golden.size(), raw_bytes + want.size() * sizeof(float));
  std::memcpy(want.data(), golden.data() + raw_bytes, want.size() * sizeof(float));

  std::vector<float> got(want.size());
  Dequantize(c.type, std::as_bytes(std::span(golden.data(), raw_bytes)), got);
  for (size_t i = 0; i < want.size(); ++i) ASSERT_EQ(got[i], want[i]) << "element " << i;
}

INSTANTIATE_TEST_SUITE_P(Types, DequantizeTest, ::testing::ValuesIn(kQuantCases),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(DequantizeTest, FloatTypesAreConvertedElementByElement) {
  const std::vector<float> values = {0.0f, -1.5f, 1024.0f, 0x1p-14f, -0.0f};
  std::vector<std::byte> f16, bf16;
  for (float value : values) {
    for (auto [bits, out] :
         {std::pair(F32ToF16(value), &f16), std::pair(F32ToBf16(value), &bf16)}) {
      out->push_back(static_cast<std::byte>(bits & 0xff));
      out->push_back(static_cast<std::byte>(bits >> 8));
    }
  }
  std::vector<float> out(values.size());
  Dequantize(GgufType::kF16, f16, out);
  EXPECT_EQ(out, values);
  Dequantize(GgufType::kBF16, bf16, out);
  EXPECT_EQ(out, values);
  Dequantize(GgufType::kF32, std::as_bytes(std::span(values)), out);
  EXPECT_EQ(out, values);
}

TEST(DequantizeTest, NothingIsDequantisedFromNothing) {
  Dequantize(GgufType::kF32, {}, {});
  Dequantize(GgufType::kQ4_K, {}, {});
}

TEST(GgufTypeTest, OnlyTheListedTypesAreKnown) {
  std::string known;
  for (uint32_t type = 0; type < 100; ++type) {
    if (IsKnownGgufType(type))
      known += GgufTypeName(static_cast<GgufType>(type)) + std::string(" ");
  }
  EXPECT_EQ(known, "F32 F16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K BF16 ");
  EXPECT_FALSE(IsKnownGgufType(0xffffffff));
}

}  // namespace
}  // namespace anabranch
