#include "cli/utf8.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

namespace anabranch::cli {
namespace {

std::string Repaired(std::string text) {
  RepairUtf8(&text);
  return text;
}

// The examples of Unicode 15, section 3.9, table 3-8 and after.
TEST(Utf8Test, ReplacesEachMaximalPartOnce) {
  EXPECT_EQ(Repaired("\x61\xF1\x80\x80\xE1\x80\xC2\x62"), "a\uFFFD\uFFFD\uFFFDb");
  EXPECT_EQ(Repaired("\xC0\xAF"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(Repaired("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(Repaired("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
}

TEST(Utf8Test, CountsAndLocatesReplacements) {
  std::string text = "h\xC3\xA9llo \xFF w\xFE";
  const RepairedUtf8 repaired = RepairUtf8(&text);
  EXPECT_EQ(repaired.count, 2);
  EXPECT_EQ(repaired.first, 7u);
  EXPECT_EQ(text, "h\u00E9llo \uFFFD w\uFFFD");
}

RC_GTEST_PROP(Utf8Test, MakesWhatAJsonWriterAccepts, (std::string text)) {
  const auto is_utf8 = [](const std::string& candidate) {
    try {
      const std::string dumped = nlohmann::json(candidate).dump();
      return !dumped.empty();
    } catch (const nlohmann::json::exception&) {
      return false;
    }
  };
  std::string repaired = text;
  const int64_t count = RepairUtf8(&repaired).count;
  RC_ASSERT(is_utf8(repaired));
  RC_ASSERT((count == 0) == is_utf8(text));
  RC_ASSERT(count > 0 || repaired == text);
}

}  // namespace
}  // namespace anabranch::cli
