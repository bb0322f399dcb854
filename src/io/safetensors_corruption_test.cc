// safetensors files that are wrong: refused with an error that names the file, never a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "io/safetensors.h"
#include "support/corruption.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

constexpr const char* kName = "bad.safetensors";

std::string File(const std::string& header, const std::string& data, uint64_t extra_length = 0) {
  uint64_t length = header.size() + extra_length;
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data;
}

std::string SmallFile() {
  return File(R"({"__metadata__":{"format":"pt"},)"
              R"("ids":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]},)"
              R"("w":{"dtype":"F32","shape":[2,3],"data_offsets":[16,40]},)"
              R"("h":{"dtype":"BF16","shape":[2],"data_offsets":[40,44]}})",
              std::string(44, 'x'));
}

Result<SafetensorsFile> Parse(const std::string& file) {
  return SafetensorsFile::Parse(std::as_bytes(std::span(file)), kName);
}

// Parses and, if that succeeds, reads all there is. An error must say what is wrong with which
// file.
void ParseAndUse(const std::string& bytes) {
  Result<SafetensorsFile> file = Parse(bytes);
  if (!file) {
    ASSERT_EQ(file.error().what, kName);
    ASSERT_FALSE(file.error().fault.empty());
    return;
  }
  unsigned sum = 0;
  for (const SafeTensor& tensor : file->tensors()) {
    ASSERT_EQ(*file->Tensor(tensor.name), &tensor);
    if (tensor.dtype) {
      uint64_t n = 1;
      for (int64_t size : tensor.shape) n *= static_cast<uint64_t>(size);
      ASSERT_EQ(n * static_cast<uint64_t>(DTypeBytes(*tensor.dtype, 1)), tensor.data.size());
    }
    for (std::byte byte : tensor.data) sum += static_cast<unsigned>(byte);
  }
  ASSERT_LE(sum, bytes.size() * 255 * file->tensors().size());
}

void ExpectRefused(const std::string& bytes, const std::string& fault) {
  Result<SafetensorsFile> file = Parse(bytes);
  ASSERT_FALSE(file) << "accepted, but: " << fault;
  EXPECT_EQ(file.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(file.error().Message(), HasSubstr(fault));
  EXPECT_THAT(file.error().Message(), HasSubstr(kName));
}

void ExpectTensorRefused(const std::string& entry, const std::string& fault) {
  ExpectRefused(File("{\"t\":" + entry + "}", std::string(8, 'x')), "tensor 't': " + fault);
}

TEST(SafetensorsCorruption, EveryTruncationIsRefused) {
  const std::string file = SmallFile();
  ASSERT_TRUE(Parse(file));
  for (size_t size = 0; size < file.size(); ++size) {
    SCOPED_TRACE(size);
    const std::string part(file, 0, size);
    ASSERT_FALSE(Parse(part));
    ParseAndUse(part);
  }
}

TEST(SafetensorsCorruption, ATruncatedFileNamesTheTensorAndTheMissingBytes) {
  std::string file = SmallFile();
  file.resize(file.size() - 3);
  ExpectRefused(file, "tensor 'h': 3 of its 4 bytes are missing");
}

TEST(SafetensorsCorruption, RandomMutationsNeverCrash) {
  const std::string file = SmallFile();
  for (uint32_t seed = 0; seed < 6000; ++seed) {
    SCOPED_TRACE(seed);
    ParseAndUse(testing::Mutated(file, seed));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(SafetensorsCorruption, BoundaryValuesInEveryFieldNeverCrash) {
  testing::ForEachBoundaryValue(SmallFile(), ParseAndUse);
}

// The header is text: its numbers are replaced as text.
TEST(SafetensorsCorruption, BoundaryNumbersInTheHeaderNeverCrash) {
  const std::string file = SmallFile();
  const size_t header_end = file.find("}}") + 2;
  size_t n_numbers = 0;
  for (size_t at = 8; at < header_end; ++at) {
    if (!isdigit(file[at]) || isalnum(file[at - 1])) continue;
    ++n_numbers;
    size_t n = 1;
    while (isdigit(file[at + n])) ++n;
    for (const char* number :
         {"0", "-1", "1.5", "1e99", "4294967296", "9223372036854775807", "9223372036854775808",
          "18446744073709551615", "18446744073709551616", "1e", "null", "[]"}) {
      std::string header = file.substr(8, header_end - 8);
      header.replace(at - 8, n, number);
      SCOPED_TRACE(header);
      ParseAndUse(File(header, file.substr(header_end)));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(n_numbers, 11u);
}

TEST(SafetensorsCorruption, OtherFilesAreRecognised) {
  Result<SafetensorsFile> gguf = Parse("GGUF\x03" + std::string(30, '\0'));
  ASSERT_FALSE(gguf);
  EXPECT_EQ(gguf.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(gguf.error().Message(), HasSubstr("is no safetensors file; it looks like a GGUF"));
  EXPECT_THAT(Parse("x").error().Message(), HasSubstr("it begins with 'x'"));
}

TEST(SafetensorsCorruption, HeadersAreRefused) {
  ExpectRefused(File("{}", "", 10), "10 of its header's 12 bytes are missing");
  ExpectRefused(File("{}", "", uint64_t{1} << 62), "is above the limit of 100000000");
  ExpectRefused(File("{\"a\":", ""), "its header is no JSON object of tensors");
  ExpectRefused(File("{\"\xFF\":{}}", ""), "its header is no JSON object of tensors");
  std::string twice = R"("t":{"dtype":"F32","shape":[],"data_offsets":[0,4]})";
  ExpectRefused(File("{" + twice + "," + twice + "}", "xxxx"), "tensor 't' stands twice");
  std::string deep(100'000, '[');
  ExpectRefused(File("{\"t\":" + deep, ""), "its header is no JSON object of tensors");
  ExpectRefused(File("{\"t\":" + deep + std::string(deep.size(), ']') + "}", ""),
                "its header is no JSON object of tensors");
}

TEST(SafetensorsCorruption, TensorsAreRefusedByName) {
  ExpectTensorRefused("7", "its entry is no object");
  ExpectTensorRefused(R"({"shape":[2],"data_offsets":[0,8]})", "it has no dtype");
  ExpectTensorRefused(R"({"dtype":"F32","data_offsets":[0,8]})", "its shape is no list");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
                      "its shape is no list");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]})",
                      "its shape is no list of at most 8 sizes");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})",
                      "its data_offsets are no pair");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})",
                      "its data_offsets are no pair");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})",
                      "8 of its 16 bytes are missing");
  ExpectTensorRefused(
      R"({"dtype":"F32","shape":[2],"data_offsets":[18446744073709551607,18446744073709551615]})",
      "8 of its 8 bytes are missing");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[1],"data_offsets":[0,8]})",
                      "its shape [1] of F32 takes 4 bytes, its data_offsets hold 8");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})",
                      "the size of its shape [4294967296, 4294967296] overflows");
  ExpectTensorRefused(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})",
                      "the size of its shape [4611686018427387904] overflows");
}

}  // namespace
}  // namespace anabranch
