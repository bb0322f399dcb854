#include "cli/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

using ::testing::HasSubstr;

TEST(InputTest, ReadsAFileUnderTheDataRoot) {
  const testing::TempDir folder;
  const std::string path = folder.WriteFile("a.txt", "hello");
  const Result<Input> missing = OpenInput("a.txt", "", nullptr);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(missing.error().what, "a.txt");
  const Result<Input> found = OpenInput("a.txt", folder.path(), nullptr);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->total_bytes, 5);
  EXPECT_EQ(ReadAll(*found, 5).value(), "hello");
}

TEST(InputTest, RefusesFoldersAndWhatIsTooLong) {
  const testing::TempDir folder;
  const std::string path = folder.WriteFile("a.txt", "hello");
  const Result<Input> a_folder = OpenInput(folder.path(), "", nullptr);
  ASSERT_FALSE(a_folder);
  EXPECT_THAT(a_folder.error().fault, HasSubstr("folder"));
  const Result<std::string> too_long = ReadAll(*OpenInput(path, "", nullptr), 4);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().kind, ErrorKind::kLimit);
}

TEST(InputTest, StopsWhenCancelled) {
  const testing::TempDir folder;
  const std::string path = folder.WriteFile("a.txt", "hello");
  const std::atomic<bool> cancel{true};
  const Result<std::string> read = ReadAll(*OpenInput(path, "", &cancel), 100);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kInterrupted);
}

TEST(InputTest, LinesEndAtEitherKindOfEndAndHaveALimit) {
  std::string bytes = "a\r\n\nlast";
  InputBuffer lines({.name = "x", .read = [&bytes](std::span<char> buffer) -> Result<size_t> {
                       const size_t n = std::min<size_t>(bytes.size(), 1);
                       std::copy_n(bytes.begin(), n, buffer.begin());
                       bytes.erase(0, n);
                       return n;
                     }});
  EXPECT_EQ(lines.Line(10).value(), "a");
  EXPECT_EQ(lines.Line(10).value(), "");
  EXPECT_EQ(lines.line(), 3);
  const auto too_long = lines.Line(2);
  ASSERT_FALSE(too_long);
  EXPECT_THAT(too_long.error().Message(), HasSubstr("x, line 3: is longer than 2 bytes"));
  EXPECT_EQ(lines.Line(10).value(), "last");
  EXPECT_EQ(lines.Line(10).value(), std::nullopt);
}

}  // namespace
}  // namespace anabranch::cli
