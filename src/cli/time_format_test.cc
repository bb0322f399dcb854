#include "cli/time_format.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace anabranch::cli {
namespace {

// Expected values are those of GNU date.
TEST(TimeFormatTest, ReadsIso8601) {
  EXPECT_EQ(ParseTime("2024-05-01T12:30:05Z"), 1714566605000);
  EXPECT_EQ(ParseTime("2024-05-01 12:30:05"), 1714566605000);
  EXPECT_EQ(ParseTime("2024-05-01T12:30:05.25z"), 1714566605250);
  EXPECT_EQ(ParseTime("2024-05-01T12:30:05,1239Z"), 1714566605123);
  EXPECT_EQ(ParseTime("2000-02-29T00:00:00+02:00"), 951775200000);
  EXPECT_EQ(ParseTime("2038-01-19T03:14:08-0530"), 2147503448000);
  EXPECT_EQ(ParseTime("1969-12-31T23:59:59Z"), -1000);
  EXPECT_EQ(ParseTime("1970-01-01"), 0);
  EXPECT_EQ(ParseTime("1970-01-01T00:01"), 60000);
}

TEST(TimeFormatTest, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2024", "2024-13-01", "2023-02-29", "2024-05-01T", "2024-05-01T25:00", "2024-5-1",
        "2024-05-01T12:30:05Zx", "2024-05-01T12:30:05+", "2024-05-01T12:30:05+02:", "yesterday",
        "2024-05-01T12:30:05.Z", "2024-05-01T12:30:05+24:00", "-024-05-01", "2024-05-01T12:61"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(TimeFormatTest, ReadsWhatItWrites, ()) {
  // Years 1 to 9999.
  const auto time_ms = *rc::gen::inRange<int64_t>(-62135596800000, 253402300800000);
  RC_ASSERT(ParseTime(FormatTime(time_ms)) == time_ms);
}

}  // namespace
}  // namespace anabranch::cli
