// What a file may say about a model, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "model/stream_of_model.h"
#include "support/gguf_builder.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

using testing::GgufBuilder;

GgufFile Parse(const std::string& bytes) {
  return GgufFile::Parse(std::as_bytes(std::span(bytes)), "model.gguf").value();
}

// A file of hyper-parameters and embeddings alone; later keys are the test's.
GgufBuilder Minimal(const std::string& architecture = "llama") {
  GgufBuilder gguf;
  gguf.String("general.architecture", architecture)
      .Uint32("llama.block_count", 1)
      .Uint32("llama.embedding_length", 8)
      .Uint32("llama.feed_forward_length", 16)
      .Uint32("llama.attention.head_count", 2)
      .Uint32("llama.context_length", 100)
      .Float32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
      .TensorF32("token_embd.weight", {8, 3}, std::vector<float>(24));
  return gguf;
}

Error ConfigError(const GgufBuilder& gguf) {
  const std::string bytes = gguf.Build();
  const auto config = ReadModelConfig(Parse(bytes));
  EXPECT_FALSE(config);
  return config ? Error{} : config.error();
}

TEST(LlamaConfig, AbsentKeysHaveTheArchitecturesDefaults) {
  const std::string bytes = Minimal().Build();
  const ModelConfig config = ReadModelConfig(Parse(bytes)).value();
  EXPECT_EQ(config.n_kv_heads, 2);
  EXPECT_EQ(config.head_dim, 4);
  EXPECT_EQ(config.n_vocab, 3);
  EXPECT_EQ(config.n_ctx_train, 100);
  EXPECT_EQ(config.rope.n_rot, 4);
  EXPECT_EQ(config.rope.theta, 10000.0f);
  EXPECT_EQ(config.rope.scaling, RopeScaling::kNone);
}

TEST(LlamaConfig, RopeScalingsAreRead) {
  const std::string linear = Minimal().Float32("llama.rope.scaling.factor", 4).Build();
  EXPECT_EQ(ReadModelConfig(Parse(linear))->rope.scaling, RopeScaling::kLinear);
  const std::string old = Minimal().Float32("llama.rope.scale_linear", 2).Build();
  EXPECT_EQ(ReadModelConfig(Parse(old))->rope.factor, 2.0f);
  const std::string ntk = Minimal()
                              .String("llama.rope.scaling.type", "ntk")
                              .Float32("llama.rope.scaling.factor", 4)
                              .Build();
  EXPECT_EQ(ReadModelConfig(Parse(ntk))->rope.scaling, RopeScaling::kNtk);
}

TEST(LlamaConfig, AContextIsNoLongerThanLocalAttentionReaches) {
  const std::string bytes = Minimal().Uint32("llama.attention.sliding_window", 60).Build();
  EXPECT_EQ(ReadModelConfig(Parse(bytes))->n_ctx_train, 60);
}

TEST(LlamaConfig, WhatCannotBeComputedIsUnsupported) {
  auto refuse = [](const GgufBuilder& gguf, const std::string& named) {
    const Error error = ConfigError(gguf);
    EXPECT_EQ(error.kind, ErrorKind::kUnsupported) << named;
    EXPECT_NE(error.Message().find("model.gguf"), std::string::npos) << error.Message();
    EXPECT_NE(error.Message().find(named), std::string::npos) << error.Message();
  };
  refuse(Minimal("gemma3"), "'gemma3'");
  refuse(Minimal("gpt2"), "learned absolute positions");
  refuse(Minimal().Uint32("llama.expert_count", 8), "mixture of experts");
  refuse(Minimal().String("llama.rope.scaling.type", "yarn"), "'yarn'");
  refuse(Minimal().Uint32("llama.attention.value_length", 8), "value_length");
}

TEST(LlamaConfig, AValueOutOfRangeIsNamed) {
  auto refuse = [](const GgufBuilder& gguf, const std::string& key) {
    const Error error = ConfigError(gguf);
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << key;
    EXPECT_NE(error.what.find("llama." + key), std::string::npos) << error.Message();
  };
  refuse(Minimal().Uint32("llama.attention.head_count_kv", 0), "attention.head_count_kv");
  refuse(Minimal().Uint32("llama.attention.head_count_kv", 3), "attention.head_count_kv");
  refuse(Minimal().Uint32("llama.attention.key_length", 0xFFFFFFFF), "attention.key_length");
  refuse(Minimal().Uint32("llama.rope.dimension_count", 3), "rope.dimension_count");
  refuse(Minimal().Uint32("llama.rope.dimension_count", 6), "rope.dimension_count");
  refuse(Minimal().Float32("llama.rope.freq_base", -1), "rope.freq_base");
  refuse(Minimal().Float32("llama.rope.scaling.factor", 0), "rope.scaling.factor");
}

// The failure of opening the tiny model's metadata with other tensors.
Error OpenError(const GgufBuilder& gguf) {
  const std::string bytes = gguf.Build();
  const GgufFile file = Parse(bytes);
  ThreadPool pool(1);
  const ModelOptions options{.max_batch = 4};
  const auto exec = CpuExec::Create(*SelectKernels("ref").value(), pool,
                                    ModelLimits(ReadModelConfig(file).value(), options))
                        .value();
  const auto model = OpenModel(file, *exec, options);
  EXPECT_FALSE(model);
  return model ? Error{} : model.error();
}

TEST(LlamaWeights, AMissingTensorIsNamed) {
  const Error error = OpenError(Minimal());
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_NE(error.Message().find("blk.0.attn_norm.weight"), std::string::npos) << error.Message();
}

TEST(LlamaWeights, AWrongShapeIsNamedWithBothShapes) {
  const Error error =
      OpenError(Minimal().TensorF32("blk.0.attn_norm.weight", {7}, std::vector<float>(7)));
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  for (const char* part : {"model.gguf", "'blk.0.attn_norm.weight'", "[7]", "[8]"}) {
    EXPECT_NE(error.Message().find(part), std::string::npos) << error.Message();
  }
}

GgufBuilder Complete() {
  GgufBuilder gguf = Minimal();
  auto add = [&gguf](const std::string& name, int64_t cols, int64_t rows) {
    gguf.TensorF32(name, {cols, rows}, std::vector<float>(static_cast<size_t>(cols * rows)));
  };
  for (const char* norm :
       {"blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight"}) {
    gguf.TensorF32(norm, {8}, std::vector<float>(8, 1.0f));
  }
  for (const char* part : {"q", "k", "v", "output"}) {
    add("blk.0.attn_" + std::string(part) + ".weight", 8, 8);
  }
  add("blk.0.ffn_gate.weight", 8, 16);
  add("blk.0.ffn_up.weight", 8, 16);
  add("blk.0.ffn_down.weight", 16, 8);
  return gguf;
}

TEST(LlamaWeights, ATensorThatNoStepReadsIsUnsupported) {
  const Error error =
      OpenError(Complete().TensorF32("blk.0.attn_q_norm.weight", {4}, std::vector<float>(4)));
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_NE(error.Message().find("attn_q_norm"), std::string::npos) << error.Message();
}

TEST(LlamaWeights, AFrequencyFactorOfZeroIsCorrupt) {
  const Error error = OpenError(Complete().TensorF32("rope_freqs.weight", {2}, {1.0f, 0.0f}));
  EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
}

TEST(LlamaWeights, BiasesAreAdded) {
  // All weights are zero, so x is the embedding plus what attention's biases bring: v's through an
  // output matrix of zeros is nothing, the output's own bias stays.
  GgufBuilder gguf = Complete();
  gguf.TensorF32("blk.0.attn_v.bias", {8}, std::vector<float>(8, 5.0f))
      .TensorF32("blk.0.attn_output.bias", {8}, {3, 0, 0, 0, 0, 0, 0, 0})
      .TensorF32("output.weight", {8, 3},
                 {1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  const std::string bytes = gguf.Build();
  const GgufFile file = Parse(bytes);
  ModelOnTable on(file, "ref");
  StreamOfModel stream(on, {.max_batch = 4}, DType::kF32);
  std::vector<float> logits;
  stream.Read(std::vector{TokenId(0)}, 1, &logits);
  // RMSNorm of (3, 0, …, 0) over 8: its first is √8.
  ASSERT_EQ(logits.size(), 3u);
  EXPECT_NEAR(logits[0], std::sqrt(8.0f), 1e-4f);
  EXPECT_EQ(logits[1], 0.0f);
}

}  // namespace
}  // namespace anabranch
