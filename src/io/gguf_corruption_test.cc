// GGUF files that are wrong: refused with an error that names the file, never a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "io/gguf.h"
#include "support/corruption.h"
#include "support/gguf_builder.h"

namespace anabranch {
namespace {

using testing::GgufBuilder;
using ::testing::HasSubstr;

constexpr const char* kName = "bad.gguf";

Result<GgufFile> Parse(const std::string& file) {
  return GgufFile::Parse(std::as_bytes(std::span(file)), kName);
}

// Parses and, if that succeeds, reads all there is. An error must say what is wrong with which
// file.
void ParseAndUse(const std::string& file) {
  Result<GgufFile> gguf = Parse(file);
  if (!gguf) {
    ASSERT_EQ(gguf.error().what, kName);
    ASSERT_FALSE(gguf.error().fault.empty());
    return;
  }
  for (const auto& [key, value] : gguf->metadata()) ASSERT_TRUE(gguf->Has(key));
  unsigned sum = 0;
  for (const GgufTensor& tensor : gguf->tensors()) {
    ASSERT_EQ(*gguf->Tensor(tensor.name), &tensor);
    ASSERT_GT(tensor.rows() * tensor.cols(), 0);
    for (std::byte byte : tensor.data) sum += static_cast<unsigned>(byte);
  }
  ASSERT_LE(sum, file.size() * 255 * gguf->tensors().size());
}

void ExpectRefused(const GgufBuilder& builder, ErrorKind kind, const std::string& fault) {
  Result<GgufFile> gguf = Parse(builder.Build());
  ASSERT_FALSE(gguf) << "accepted, but: " << fault;
  EXPECT_EQ(gguf.error().kind, kind) << gguf.error().Message();
  EXPECT_THAT(gguf.error().Message(), HasSubstr(fault));
  EXPECT_THAT(gguf.error().Message(), HasSubstr(kName));
}

// A file with every kind of thing in it; its last tensor ends where the file ends.
std::string SmallFile() {
  return GgufBuilder()
      .Alignment(8)
      .String("general.architecture", "llama")
      .Bool("flag", true)
      .Float32("eps", 1e-5f)
      .Strings("tokens", {"a", "bc", ""})
      .Float32s("scores", {1, 2})
      .Int32s("types", {1, 1, 3})
      .TensorF32("matrix", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})
      .Tensor("q4", 3, {64, 2}, std::string(80, 'x'))
      .TensorF32("norm", {2}, {1, 1})
      .Build();
}

TEST(GgufCorruption, EveryTruncationIsRefused) {
  const std::string file = SmallFile();
  ASSERT_TRUE(Parse(file));
  for (size_t size = 0; size < file.size(); ++size) {
    SCOPED_TRACE(size);
    // A string of its own size, so that a sanitizer sees a read past the end.
    const std::string part(file, 0, size);
    ASSERT_FALSE(Parse(part));
    ParseAndUse(part);
  }
}

TEST(GgufCorruption, ATruncatedFileNamesTheTensorAndTheMissingBytes) {
  std::string file = SmallFile();
  file.resize(file.size() - 3);
  EXPECT_THAT(Parse(file).error().Message(),
              HasSubstr("tensor 'norm': 3 of its 8 bytes are missing"));
  file.resize(file.size() - 5 - 10);
  EXPECT_THAT(Parse(file).error().Message(),
              HasSubstr("tensor 'q4': 10 of its 80 bytes are missing"));
}

TEST(GgufCorruption, RandomMutationsNeverCrash) {
  const std::string file = SmallFile();
  for (uint32_t seed = 0; seed < 6000; ++seed) {
    SCOPED_TRACE(seed);
    ParseAndUse(testing::Mutated(file, seed));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Whatever a 4- or 8-byte field means, it is somewhere among these.
TEST(GgufCorruption, BoundaryValuesInEveryFieldNeverCrash) {
  testing::ForEachBoundaryValue(SmallFile(), ParseAndUse);
}

TEST(GgufCorruption, VersionsAreRefusedByNumber) {
  ExpectRefused(GgufBuilder(1), ErrorKind::kUnsupported, "is GGUF version 1;");
  ExpectRefused(GgufBuilder(4), ErrorKind::kUnsupported, "is GGUF version 4;");
  ExpectRefused(GgufBuilder(0x03000000), ErrorKind::kUnsupported, "big-endian");
}

TEST(GgufCorruption, APartOfASplitModelIsRefused) {
  ExpectRefused(GgufBuilder().Value("split.count", 2, std::string("\x03\0", 2)),
                ErrorKind::kUnsupported, "is one of 3 parts of a model");
}

TEST(GgufCorruption, OtherFilesAreRecognised) {
  const std::pair<std::string, const char*> cases[] = {
      {std::string("\x40\0\0\0\0\0\0\0{\"a\":{}}", 16), "looks like a safetensors file"},
      {std::string("PK\x03\x04", 4) + "archive/data.pkl", "PyTorch"},
      {"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
      {"<!DOCTYPE html>", "web page"},
      {"GGU", "is no GGUF file: it begins with 'GGU'"},
      {"\x1b[2J", "it begins with '?[2J'"},
  };
  for (const auto& [file, fault] : cases) {
    Result<GgufFile> gguf = Parse(file);
    ASSERT_FALSE(gguf);
    EXPECT_EQ(gguf.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(gguf.error().Message(), HasSubstr(fault));
    EXPECT_FALSE(gguf.error().remedy.empty());
  }
}

TEST(GgufCorruption, KeysAreRefusedByName) {
  auto raw = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  ExpectRefused(GgufBuilder().Bool("k", true).Uint32("k", 1), ErrorKind::kCorrupt,
                "key 'k': stands twice");
  ExpectRefused(GgufBuilder().Value("k", 13, "abcdefgh"), ErrorKind::kCorrupt,
                "key 'k': value type 13 is unknown");
  ExpectRefused(GgufBuilder().Value("k", 7, "\x02"), ErrorKind::kCorrupt, "key 'k': 2 is no bool");
  ExpectRefused(GgufBuilder().Value("k", 10, raw(uint64_t{1} << 63)), ErrorKind::kCorrupt,
                "key 'k': 9223372036854775808 is above");
  ExpectRefused(GgufBuilder().Value("k", 9, raw(uint32_t{9}) + raw(uint64_t{1}) + "abcdefghijkl"),
                ErrorKind::kCorrupt, "key 'k': an array of arrays");
  ExpectRefused(GgufBuilder().Value("k", 9, raw(uint32_t{8}) + raw(uint64_t{1} << 60)),
                ErrorKind::kCorrupt, "key 'k': 1152921504606846976 elements cannot stand");
  ExpectRefused(GgufBuilder().Value("k", 8, raw(UINT64_MAX)), ErrorKind::kCorrupt,
                "key 'k': 18446744073709551615 bytes of a string cannot stand");
  ExpectRefused(GgufBuilder().Uint32("general.alignment", 24), ErrorKind::kCorrupt,
                "'general.alignment': 24 is no power of two");
  ExpectRefused(GgufBuilder().Uint32("general.alignment", 0), ErrorKind::kCorrupt, ": 0 is no");
  ExpectRefused(GgufBuilder().String("general.alignment", "8"), ErrorKind::kInvalid,
                "'general.alignment' is not an integer");
}

TEST(GgufCorruption, TensorsAreRefusedByName) {
  auto with = [](uint32_t type, const std::vector<int64_t>& shape) {
    return GgufBuilder().Tensor("t", type, shape, std::string(64, 'x'));
  };
  ExpectRefused(with(0, {4}).TensorF32("t", {1}, {1}), ErrorKind::kCorrupt,
                "tensor 't': stands twice");
  ExpectRefused(with(19, {4}), ErrorKind::kUnsupported, "tensor 't': tensor type 19 is not");
  ExpectRefused(with(0, {1, 1, 1, 1, 1}), ErrorKind::kCorrupt, "tensor 't': 5 dimensions");
  ExpectRefused(with(0, {4, 0}), ErrorKind::kCorrupt, "tensor 't': dimension 1 is 0");
  ExpectRefused(with(0, {-1}), ErrorKind::kCorrupt,
                "tensor 't': dimension 0 is 18446744073709551615");
  ExpectRefused(with(8, {33}), ErrorKind::kCorrupt,
                "tensor 't': 33 columns are no multiple of Q8_0's block of 32");
  ExpectRefused(with(0, {int64_t{1} << 32, int64_t{1} << 32}), ErrorKind::kCorrupt,
                "tensor 't': the size of its shape [4294967296, 4294967296] overflows");
  ExpectRefused(with(0, {int64_t{1} << 61}), ErrorKind::kCorrupt,
                "tensor 't': 9223372036854775744");
}

TEST(GgufCorruption, OffsetsOutsideTheFileAreRefused) {
  std::string file = GgufBuilder().TensorF32("t", {2}, {1, 2}).Build();
  const size_t offset_at = file.find('t', 24) + 1 + 4 + 8 + 4;  // behind name, n_dims, size, type
  auto with_offset = [&](uint64_t offset) {
    std::string changed = file;
    std::memcpy(changed.data() + offset_at, &offset, sizeof(offset));
    Result<GgufFile> gguf = Parse(changed);
    return gguf ? "accepted" : gguf.error().Message();
  };
  EXPECT_EQ(with_offset(0), "accepted");
  EXPECT_THAT(with_offset(31), HasSubstr("tensor 't': offset 31 is no multiple of the alignment"));
  EXPECT_THAT(with_offset(32), HasSubstr("tensor 't': 8 of its 8 bytes are missing"));
  EXPECT_THAT(with_offset(uint64_t{0} - 32), HasSubstr("tensor 't': 8 of its 8 bytes are missing"));
}

}  // namespace
}  // namespace anabranch
