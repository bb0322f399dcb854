#include "text/utf8_stream.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unicode/unistr.h>

#include <string>
#include <vector>

namespace anabranch {
namespace {

std::string InOnePush(std::string_view bytes) {
  Utf8Stream stream;
  std::string text = stream.Push(bytes);
  return text + stream.Flush();
}

TEST(Utf8Stream, GivesOutACharacterOnlyWhenItIsWhole) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("a\xF0\x9F"), "a");
  EXPECT_EQ(stream.Push("\x92"), "");
  EXPECT_EQ(stream.Push("\xA9z"), "\xF0\x9F\x92\xA9z");
  EXPECT_EQ(stream.Flush(), "");
}

// The examples of Unicode 15, table 3-11.
TEST(Utf8Stream, ReplacesEachMaximalIllFormedPart) {
  EXPECT_EQ(InOnePush("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFD"
            "b\uFFFD"
            "c\uFFFD\uFFFD"
            "d");
  EXPECT_EQ(InOnePush("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
            "A");
  EXPECT_EQ(InOnePush("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
            "A");
  EXPECT_EQ(InOnePush("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
            "A\uFFFD\uFFFD"
            "B");
}

TEST(Utf8Stream, FlushReplacesAnUnfinishedCharacterOnce) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("\xF0\x9F\x92"), "");
  EXPECT_EQ(stream.Flush(), "\uFFFD");
  EXPECT_EQ(stream.Flush(), "");
  EXPECT_EQ(stream.Push("\xA9"), "\uFFFD");
}

// Bytes in which multi-byte forms, whole and broken, are frequent.
rc::Gen<std::string> AnyBytes() {
  const auto byte =
      rc::gen::oneOf(rc::gen::arbitrary<char>(),
                     rc::gen::element('a', '\x80', '\x9F', '\xA0', '\xBF', '\xC2', '\xE0', '\xE2',
                                      '\xED', '\xEF', '\xF0', '\xF4', '\xFF'));
  return rc::gen::container<std::string>(byte);
}

RC_GTEST_PROP(Utf8Stream, AnySplitGivesWhatIcuReads, ()) {
  const std::string bytes = *AnyBytes();
  Utf8Stream stream;
  std::string text;
  for (size_t pos = 0; pos < bytes.size();) {
    const size_t size = *rc::gen::inRange<size_t>(1, 5);
    const std::string out = stream.Push(std::string_view(bytes).substr(pos, size));
    RC_ASSERT(IsValidUtf8(out));
    text += out;
    pos += size;
  }
  text += stream.Flush();

  std::string icu;
  icu::UnicodeString::fromUTF8(bytes).toUTF8String(icu);
  RC_ASSERT(text == icu);
  RC_ASSERT(IsValidUtf8(bytes) == (icu == bytes));
}

}  // namespace
}  // namespace anabranch
