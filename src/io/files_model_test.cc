// The real models, as other readers see them (tools/golden/model_files.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/gguf.h"
#include "io/safetensors.h"

namespace anabranch {
namespace {

using nlohmann::json;

json Golden(const std::string& name) {
  std::ifstream file(ANABRANCH_SOURCE_DIR "/tests/golden/io/" + name);
  return json::parse(file);
}

std::string Model(const std::string& name) { return ANABRANCH_SOURCE_DIR "/models/" + name; }

std::string Hex(std::span<const std::byte> bytes) {
  std::string hex;
  for (std::byte byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return hex;
}

constexpr size_t kEdge = 8;

json ArrayAsGolden(const GgufArray& array) {
  return std::visit(
      [](const auto& elements) -> json {
        return {{"n", elements.size()}, {"first", elements.front()}, {"last", elements.back()}};
      },
      array);
}

json AsGolden(const GgufValue& value) {
  return std::visit(
      [](const auto& held) -> json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, GgufArray>) {
          return ArrayAsGolden(held);
        } else {
          return held;
        }
      },
      value);
}

void ExpectEqualsGolden(const std::string& model, const std::string& golden_name) {
  Result<GgufFile> opened = GgufFile::Open(Model(model));
  ASSERT_TRUE(opened) << opened.error().Message();
  const json golden = Golden(golden_name);

  ASSERT_EQ(opened->metadata().size(), golden["metadata"].size());
  for (const auto& [key, value] : opened->metadata()) {
    EXPECT_EQ(AsGolden(value), golden["metadata"][key]) << key;
  }
  ASSERT_EQ(opened->tensors().size(), golden["tensors"].size());
  for (size_t i = 0; i < opened->tensors().size(); ++i) {
    const GgufTensor& tensor = opened->tensors()[i];
    const json actual = {
        tensor.name,        static_cast<uint32_t>(tensor.type), tensor.shape,
        tensor.data.size(), Hex(tensor.data.first(kEdge)),      Hex(tensor.data.last(kEdge))};
    EXPECT_EQ(actual, golden["tensors"][i]);
  }
}

TEST(ModelFiles, SmolLm2IsReadAsTheGgufPackageReadsIt) {
  ExpectEqualsGolden("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2.json");
}

TEST(ModelFiles, Gemma3IsReadAsTheGgufPackageReadsIt) {
  ExpectEqualsGolden("gemma-3-270m-q4_k_m.gguf", "gemma3.json");
}

TEST(ModelFiles, MiniLmTensorsEqualTheHeaderReadByPython) {
  Result<SafetensorsFile> opened =
      SafetensorsFile::Open(Model("all-MiniLM-L6-v2/model.safetensors"));
  ASSERT_TRUE(opened) << opened.error().Message();
  const json golden = Golden("minilm.json")["tensors"];
  ASSERT_EQ(opened->tensors().size(), golden.size());
  for (const json& expected : golden) {
    Result<const SafeTensor*> tensor = opened->Tensor(expected[0].get<std::string>());
    ASSERT_TRUE(tensor) << tensor.error().Message();
    const json actual = {(*tensor)->name, (*tensor)->dtype_name, (*tensor)->shape,
                         Hex((*tensor)->data.first(kEdge)), Hex((*tensor)->data.last(kEdge))};
    EXPECT_EQ(actual, expected);
  }
}

}  // namespace
}  // namespace anabranch
