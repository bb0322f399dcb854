#include "text/base64.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace anabranch {
namespace {

// RFC 4648, section 10.
TEST(Base64, GivesTheStandardsExamples) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64Encode("\xFB\xFF\xBF"), "+/+/");
}

TEST(Base64, RefusesWhatItDoesNotWrite) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg=a", "=Zg=", "Zh==", "Zm9=", "Z===", "====",
                           "Zm9v\n", "Zm-v", "Zg==Zg==", "\xFFm9v"}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Base64Property, DecodingGivesTheBytesBack, (const std::string& bytes)) {
  RC_ASSERT(Base64Decode(Base64Encode(bytes)) == bytes);
}

RC_GTEST_PROP(Base64Property, WhatDecodesIsWhatEncodingWrites, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::element('A', 'Q', 'g', 'w', '/', '=', '\n'));
  const std::optional<std::string> bytes = Base64Decode(text);
  if (bytes) RC_ASSERT(Base64Encode(*bytes) == text);
}

}  // namespace
}  // namespace anabranch
