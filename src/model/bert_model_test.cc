// all-MiniLM-L6-v2 against BERT's equations in f64 (tools/golden/embedder.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <vector>

#include "model/embedder.h"
#include "model/golden_file.h"
#include "model/stream_of_model.h"

namespace anabranch {
namespace {

class MiniLmOnTable : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Tables, MiniLmOnTable, ::testing::ValuesIn(TablesHere()),
                         [](const auto& table) { return table.param; });

TEST_P(MiniLmOnTable, VectorsEqualTheEquations) {
  const std::string folder = ANABRANCH_SOURCE_DIR "/models/all-MiniLM-L6-v2/";
  std::ostringstream config_json;
  config_json << std::ifstream(folder + "config.json").rdbuf();
  const EmbedderConfig config = ReadEmbedderConfig(config_json.str()).value();
  const SafetensorsFile file = SafetensorsFile::Open(folder + "model.safetensors").value();
  ThreadPool pool(2);
  const auto exec =
      CpuExec::Create(*SelectKernels(GetParam()).value(), pool, EmbedderLimits(config)).value();
  const auto embedder = OpenEmbedder(file, config, *exec).value();

  const nlohmann::json golden = ReadGolden("embedder.json");
  std::vector<std::vector<TokenId>> ids;
  for (const nlohmann::json& text : golden) ids.push_back(Ids(text["ids"]));
  const std::vector<std::span<const TokenId>> texts(ids.begin(), ids.end());
  const auto width = static_cast<size_t>(config.width);
  std::vector<float> vectors(texts.size() * width);
  ASSERT_TRUE(embedder->Embed(texts, vectors));

  for (size_t t = 0; t < golden.size(); ++t) {
    const auto want = golden[t]["vector"].get<std::vector<double>>();
    ASSERT_EQ(want.size(), width);
    double dot = 0, squares = 0;
    for (size_t c = 0; c < width; ++c) {
      const auto value = static_cast<double>(vectors[t * width + c]);
      dot += value * want[c];
      squares += value * value;
    }
    EXPECT_GE(dot, 0.9999) << "text " << t;
    EXPECT_NEAR(squares, 1.0, 1e-5) << "text " << t;
  }
}

}  // namespace
}  // namespace anabranch
