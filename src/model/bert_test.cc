#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "model/embedder.h"
#include "model/stream_of_model.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

constexpr const char* kConfig =
    R"({"model_type":"bert","hidden_act":"gelu","hidden_size":8,"num_hidden_layers":1,
        "num_attention_heads":2,"intermediate_size":16,"vocab_size":10,
        "max_position_embeddings":16)";

struct TinyEmbedder {
  explicit TinyEmbedder(const std::string& table) {
    testing::WriteTinyEmbedder(dir.path());
    std::ostringstream json;
    json << std::ifstream(dir.File("config.json")).rdbuf();
    const EmbedderConfig config = ReadEmbedderConfig(json.str()).value();
    exec = CpuExec::Create(*SelectKernels(table).value(), pool, EmbedderLimits(config)).value();
    const auto file = SafetensorsFile::Open(dir.File("model.safetensors")).value();
    embedder = OpenEmbedder(file, config, *exec).value();
  }
  std::vector<float> Embed(const std::vector<std::vector<TokenId>>& ids) {
    const std::vector<std::span<const TokenId>> texts(ids.begin(), ids.end());
    std::vector<float> out(texts.size() * static_cast<size_t>(embedder->config().width));
    EXPECT_TRUE(embedder->Embed(texts, out));
    return out;
  }

  testing::TempDir dir;
  ThreadPool pool{2};
  std::unique_ptr<CpuExec> exec;
  std::unique_ptr<Embedder> embedder;
};

class BertOnTable : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Tables, BertOnTable, ::testing::ValuesIn(TablesHere()),
                         [](const auto& table) { return table.param; });

TEST_P(BertOnTable, ATextsVectorIsTheSameInAnyCompany) {
  TinyEmbedder tiny(GetParam());
  std::mt19937 random(1);
  std::vector<std::vector<TokenId>> texts(60);  // some 3,800 tokens: several batches
  for (auto& text : texts) {
    text.resize(1 + random() % 128);
    for (TokenId& id : text) id = TokenId(static_cast<int32_t>(random() % 60));
  }
  const std::vector<float> together = tiny.Embed(texts);
  const auto width = static_cast<size_t>(tiny.embedder->config().width);
  for (size_t t = 0; t < texts.size(); ++t) {
    const std::vector<float> alone = tiny.Embed({texts[t]});
    float squares = 0;
    for (size_t c = 0; c < width; ++c) {
      EXPECT_NEAR(together[t * width + c], alone[c], 1e-5f);
      squares += alone[c] * alone[c];
    }
    EXPECT_NEAR(squares, 1.0f, 1e-5f);
  }
}

TEST_P(BertOnTable, OrderMatters) {
  TinyEmbedder tiny(GetParam());
  const std::vector<float> one = tiny.Embed({{TokenId(2), TokenId(10), TokenId(20), TokenId(3)}});
  const std::vector<float> two = tiny.Embed({{TokenId(2), TokenId(20), TokenId(10), TokenId(3)}});
  EXPECT_NE(one, two);
}

TEST(Bert, TextsThatDoNotFitAreErrors) {
  TinyEmbedder tiny("ref");
  std::vector<float> out(32);
  const std::vector<TokenId> empty, longer(129, TokenId(5)), outside = {TokenId(-1)};
  for (const auto* text : {&empty, &longer, &outside}) {
    const std::span<const TokenId> one(*text);
    const auto result = tiny.embedder->Embed({&one, 1}, out);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
  }
}

TEST(EmbedderConfig, ReadsSizes) {
  const EmbedderConfig config =
      ReadEmbedderConfig(std::string(kConfig) + R"(,"layer_norm_eps":1e-6})").value();
  EXPECT_EQ(config.width, 8);
  EXPECT_EQ(config.max_len, 16);
  EXPECT_EQ(config.layer_norm_eps, 1e-6f);
}

TEST(EmbedderConfig, WhatIsNoSuchBertIsRefused) {
  for (const char* json :
       {"", "[]", "{\"model_type\":\"bert\"}", "{\"hidden_size\":1e99}", "{\"model_type\":7}"}) {
    EXPECT_FALSE(ReadEmbedderConfig(json)) << json;
  }
  const std::string config = kConfig;
  EXPECT_TRUE(ReadEmbedderConfig(config + "}"));
  EXPECT_FALSE(ReadEmbedderConfig(config + R"(,"position_embedding_type":"relative_key"})"));
  EXPECT_FALSE(ReadEmbedderConfig(config + R"(,"num_attention_heads":3})"));
  EXPECT_FALSE(ReadEmbedderConfig(config + R"(,"hidden_act":"relu"})"));
  EXPECT_FALSE(ReadEmbedderConfig(config + R"(,"layer_norm_eps":-1})"));
  EXPECT_FALSE(ReadEmbedderConfig(config + R"(,"vocab_size":99999999999999999999})"));
}

TEST(Bert, AWrongShapeNamesFileAndTensor) {
  const testing::TempDir dir;
  testing::WriteTinyEmbedder(dir.path());
  std::ostringstream json;
  json << std::ifstream(dir.File("config.json")).rdbuf();
  EmbedderConfig config = ReadEmbedderConfig(json.str()).value();
  config.n_ff *= 2;
  ThreadPool pool(1);
  const auto exec =
      CpuExec::Create(*SelectKernels("ref").value(), pool, EmbedderLimits(config)).value();
  const auto file = SafetensorsFile::Open(dir.File("model.safetensors")).value();
  const auto embedder = OpenEmbedder(file, config, *exec);
  ASSERT_FALSE(embedder);
  EXPECT_NE(embedder.error().Message().find("intermediate.dense.weight"), std::string::npos);
  EXPECT_NE(embedder.error().Message().find("model.safetensors"), std::string::npos);
}

}  // namespace
}  // namespace anabranch
