#include "io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::string File(const std::string& header, const std::string& data) {
  uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data;
}

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The text and order of the header are free: spaces, tensors and fields in any order, metadata.
TEST(Safetensors, ReadsTensors) {
  std::string file = File(
      R"({ "b": {"shape": [2, 3], "data_offsets": [8, 20], "dtype": "BF16"},
          "__metadata__": {"format": "pt"},
          "a": {"dtype":"F32","shape":[2],"data_offsets":[0,8]},
          "half": {"dtype":"F16","shape":[],"data_offsets":[20,22]},
          "ids": {"dtype":"I64","shape":[1,1],"data_offsets":[22,30]},
          "future": {"dtype":"F4","shape":[7],"data_offsets":[30,34]}} )",
      "01234567abcdefghijklHHiiiiiiiiffff");
  Result<SafetensorsFile> opened = SafetensorsFile::Parse(std::as_bytes(std::span(file)), "x");
  ASSERT_TRUE(opened) << opened.error().Message();
  std::vector<std::string> names;
  for (const SafeTensor& tensor : opened->tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names, UnorderedElementsAre("a", "b", "half", "ids", "future"));

  const SafeTensor* b = *opened->Tensor("b");
  EXPECT_EQ(b->dtype, DType::kBF16);
  EXPECT_THAT(b->shape, ElementsAre(2, 3));
  EXPECT_EQ(Text(b->data), "abcdefghijkl");
  EXPECT_EQ((*opened->Tensor("a"))->dtype, DType::kF32);
  EXPECT_EQ(Text((*opened->Tensor("a"))->data), "01234567");
  EXPECT_EQ((*opened->Tensor("half"))->dtype, DType::kF16);
  EXPECT_TRUE((*opened->Tensor("half"))->shape.empty());
  EXPECT_EQ((*opened->Tensor("ids"))->dtype, std::nullopt);
  EXPECT_EQ((*opened->Tensor("ids"))->dtype_name, "I64");
  EXPECT_EQ((*opened->Tensor("future"))->dtype, std::nullopt);
  EXPECT_EQ(Text((*opened->Tensor("future"))->data), "ffff");
}

TEST(Safetensors, AMissingTensorIsNamed) {
  std::string file = File("{}", "");
  Result<SafetensorsFile> opened = SafetensorsFile::Parse(std::as_bytes(std::span(file)), "x.st");
  ASSERT_TRUE(opened) << opened.error().Message();
  Result<const SafeTensor*> tensor = opened->Tensor("pooler");
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(tensor.error().Message().starts_with("x.st: tensor 'pooler' is missing"));
}

TEST(Safetensors, OpenMapsTheFile) {
  testing::TempDir dir;
  testing::TinyEmbedderOptions options;
  testing::WriteTinyEmbedder(dir.path(), options);
  Result<SafetensorsFile> opened = SafetensorsFile::Open(dir.File("model.safetensors"));
  ASSERT_TRUE(opened) << opened.error().Message();
  SafetensorsFile file = std::move(*opened);
  EXPECT_EQ(file.path(), dir.File("model.safetensors"));
  const SafeTensor* tensor = *file.Tensor("encoder.layer.0.output.dense.weight");
  EXPECT_THAT(tensor->shape, ElementsAre(options.width, options.n_ff));
  EXPECT_EQ(tensor->data.size(), static_cast<size_t>(options.width * options.n_ff) * 4);
  Result<SafetensorsFile> missing = SafetensorsFile::Open(dir.File("no.safetensors"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace anabranch
