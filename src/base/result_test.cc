#include "base/result.h"

#include <gtest/gtest.h>

#include "base/check.h"

namespace anabranch {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return Fail(ErrorKind::kInvalid, "value", "is odd", "give an even one");
  return value / 2;
}

Result<int> Quarter(int value) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  RETURN_IF_ERROR(Half(half));
  return half / 2;
}

TEST(Result, TheFirstFailureIsPassedOnWhole) {
  EXPECT_EQ(Quarter(8).value(), 2);
  const Result<int> failed = Quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(failed.error().Message(), "value: is odd; give an even one");
}

TEST(Check, AFalseConditionStopsTheProcessAndNamesItself) {
  const int one = 1;
  EXPECT_DEATH(ANABRANCH_CHECK(one == 2), "CHECK failed: one == 2");
}

}  // namespace
}  // namespace anabranch
