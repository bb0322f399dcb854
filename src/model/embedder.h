// The sentence embedder: a BERT encoder with mean pooling and L2 norm (all-MiniLM-L6-v2).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "anabranch/types.h"
#include "base/result.h"
#include "io/safetensors.h"
#include "kernels/cpu_exec.h"

namespace anabranch {

struct EmbedderConfig {
  int32_t n_layers = 6, width = 384, n_heads = 12, n_ff = 1536, n_vocab = 30522, max_len = 512;
  float layer_norm_eps = 1e-12f;
};

class Embedder {
 public:
  static constexpr int32_t kMaxBatchTokens = 1024;

  virtual ~Embedder() = default;
  virtual const EmbedderConfig& config() const = 0;

  // texts: token ids of each text, [CLS] and [SEP] included, 1..max_len each. out: [n, width],
  // unit length. Batches texts itself (rows of one text see that text alone). One thread at a time.
  virtual Result<void> Embed(std::span<const std::span<const TokenId>> texts,
                             std::span<float> out) = 0;
};

// `config_json` is the text of the model's config.json. Errors: not JSON, a size that is missing or
// out of range, a model that is no BERT with absolute positions and exact GELU.
Result<EmbedderConfig> ReadEmbedderConfig(const std::string& config_json);
ExecLimits EmbedderLimits(const EmbedderConfig& config);
// `exec` must have EmbedderLimits and outlive the embedder, which shares the file's mapping (bytes
// given to SafetensorsFile::Parse must outlive it too). Errors name file and tensor.
Result<std::unique_ptr<Embedder>> OpenEmbedder(const SafetensorsFile& file,
                                               const EmbedderConfig& config, CpuExec& exec);

}  // namespace anabranch
