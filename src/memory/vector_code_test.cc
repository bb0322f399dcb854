#include "memory/vector_code.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "memory/code_set.h"

namespace anabranch {
namespace {

std::vector<float> UnitVector(std::mt19937* random, size_t width) {
  std::vector<float> vector(width);
  double norm = 0;
  for (float& v : vector) {
    v = static_cast<float>(static_cast<double>((*random)()) / 2147483648.0 - 1);
    if ((*random)() % 7 == 0) v *= 20;
    norm += static_cast<double>(v) * v;
  }
  for (float& v : vector) v = norm > 0 ? static_cast<float>(v / std::sqrt(norm)) : 0;
  return vector;
}

RC_GTEST_PROP(VectorCode, TheErrorBoundHolds, ()) {
  std::mt19937 random(*rc::gen::arbitrary<uint32_t>());
  const auto width = static_cast<size_t>(*rc::gen::inRange(1, 500));
  const auto vector = UnitVector(&random, width), query = UnitVector(&random, width);
  const std::vector<std::byte> code = EncodeVector(vector);
  RC_ASSERT(IsCode(code, static_cast<int32_t>(width)));
  float scale = 0, error = 0;
  std::memcpy(&scale, code.data() + width, sizeof(scale));
  std::memcpy(&error, code.data() + width + sizeof(scale), sizeof(error));
  const QueryCode of_query = EncodeQuery(query);
  double exact = 0;
  int64_t dot = 0;
  for (size_t i = 0; i < width; ++i) {
    exact += static_cast<double>(vector[i]) * query[i];
    dot += int64_t{static_cast<int8_t>(code[i])} * of_query.codes[i];
  }
  const double score = static_cast<double>(scale) * of_query.scale * static_cast<double>(dot);
  const double bound = error * of_query.norm + (1 + error) * of_query.error;
  RC_ASSERT(std::fabs(score - exact) <= bound + 1e-6);
  RC_ASSERT(bound < 0.15);
}

TEST(VectorCode, NothingAndNearlyNothingHaveCodesToo) {
  for (const float v : {0.0f, 1e-45f, 1e-40f}) {
    const std::vector<float> vector(40, v);
    EXPECT_TRUE(IsCode(EncodeVector(vector), 40));
    EXPECT_LE(EncodeQuery(vector).error, 1e-38f);
  }
}

TEST(VectorCode, WhatIsNoCodeIsSeen) {
  std::vector<std::byte> code = EncodeVector(std::vector<float>(40, 0.1f));
  EXPECT_TRUE(IsCode(code, 40));
  EXPECT_FALSE(IsCode(code, 41));
  for (size_t i = 40; i < 48; ++i) {
    std::vector<std::byte> damaged = code;
    damaged[i | 3] = std::byte{0xff};  // a sign and an exponent: no number, or less than nothing
    EXPECT_FALSE(IsCode(damaged, 40));
  }
}

TEST(CodeSet, KeepsWhatItIsGivenOverManyBlocks) {
  constexpr int32_t kWidth = 33;
  std::mt19937 random(1);
  CodeSet set(kWidth);
  std::vector<std::vector<std::byte>> codes;
  for (int64_t i = 0; i < 70000; ++i) {
    codes.push_back(EncodeVector(UnitVector(&random, kWidth)));
    set.Add(3 * i, codes.back());
  }
  EXPECT_EQ(set.CountBelow(0), 0);
  EXPECT_EQ(set.CountBelow(4), 2);
  EXPECT_EQ(set.CountBelow(1000000), set.size());
  for (int64_t begin = 0; begin < set.size(); begin += set.segment_rows()) {
    const int64_t end = std::min(set.size(), begin + set.segment_rows());
    const CodeRows rows = set.Rows(begin, end);
    ASSERT_EQ(rows.n, end - begin);
    ASSERT_EQ(rows.width, 64);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i - begin;
      const unsigned char* code = rows.blocks[at / rows.block_rows].p + at % rows.block_rows * 64;
      const std::vector<std::byte>& want = codes[static_cast<size_t>(i)];
      ASSERT_EQ(std::memcmp(code, want.data(), kWidth), 0);
      ASSERT_EQ(code[kWidth], 0);
      const int64_t row = i % rows.block_rows;
      const CodeSet::Rest rest = set.RestOf(i - row);
      ASSERT_EQ(rest.n, std::min<int64_t>(rows.block_rows, set.size() - (i - row)));
      const float numbers[] = {rest.scales[row], rest.errors[row]};
      ASSERT_EQ(std::memcmp(numbers, want.data() + kWidth, sizeof(numbers)), 0);
      ASSERT_EQ(rest.units[row], 3 * i);
      ASSERT_EQ(set.unit(i), 3 * i);
    }
  }
}

}  // namespace
}  // namespace anabranch
