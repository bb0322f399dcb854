#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "io/file_kind.h"
#include "model/llama.h"

namespace anabranch {
namespace {

// Far above any model, and low enough that no product of two of them with a row count overflows.
constexpr int64_t kMaxLayers = 1024, kMaxWidth = int64_t{1} << 18, kMaxVocab = int64_t{1} << 24;

// Reads "<architecture>.<key>" values, each within bounds.
class ConfigReader {
 public:
  ConfigReader(const GgufFile& gguf, std::string architecture)
      : gguf_(gguf), prefix_(std::move(architecture) + ".") {}

  bool Has(const std::string& key) const { return gguf_.Has(prefix_ + key); }
  Failure Wrong(const std::string& key, const std::string& fault,
                ErrorKind kind = ErrorKind::kInvalid) const {
    return Fail(kind, gguf_.path() + ": key '" + prefix_ + key + "'", fault);
  }
  Result<int32_t> Size(const std::string& key, int64_t max) const {
    ASSIGN_OR_RETURN(const int64_t value, gguf_.Int(prefix_ + key));
    if (value < 1 || value > max) {
      return Wrong(key, "is " + std::to_string(value) + ", not in 1.." + std::to_string(max));
    }
    return static_cast<int32_t>(value);
  }
  Result<int32_t> SizeOr(const std::string& key, int64_t max, int32_t otherwise) const {
    if (!Has(key)) return otherwise;
    return Size(key, max);
  }
  Result<float> PositiveOr(const std::string& key, float otherwise) const {
    if (!Has(key)) return otherwise;
    return Positive(key);
  }
  Result<float> Positive(const std::string& key) const {
    ASSIGN_OR_RETURN(const double value, gguf_.Float(prefix_ + key));
    if (!std::isfinite(value) || value <= 0 || value > std::numeric_limits<float>::max()) {
      return Wrong(key, "is " + std::to_string(value) + ", not a positive number");
    }
    return static_cast<float>(value);
  }
  Result<std::string_view> Text(const std::string& key) const {
    return gguf_.String(prefix_ + key);
  }

 private:
  const GgufFile& gguf_;
  std::string prefix_;
};

Result<RopeConfig> ReadRope(const ConfigReader& read, int32_t head_dim) {
  RopeConfig rope;
  ASSIGN_OR_RETURN(rope.n_rot, read.SizeOr("rope.dimension_count", head_dim, head_dim));
  if (rope.n_rot % 2 != 0) return read.Wrong("rope.dimension_count", "is odd");
  ASSIGN_OR_RETURN(rope.theta, read.PositiveOr("rope.freq_base", rope.theta));
  // "rope.scale_linear" is what files of 2023 call the factor.
  ASSIGN_OR_RETURN(rope.factor, read.PositiveOr("rope.scale_linear", 1.0f));
  ASSIGN_OR_RETURN(rope.factor, read.PositiveOr("rope.scaling.factor", rope.factor));

  std::string_view type = rope.factor == 1.0f ? "none" : "linear";
  if (read.Has("rope.scaling.type")) {
    ASSIGN_OR_RETURN(type, read.Text("rope.scaling.type"));
  }
  if (type == "none") {
    rope.scaling = RopeScaling::kNone;
  } else if (type == "linear") {
    rope.scaling = RopeScaling::kLinear;
  } else if (type == "ntk") {
    rope.scaling = RopeScaling::kNtk;
  } else {
    return read.Wrong("rope.scaling.type",
                      "is " + QuoteName(type) + "; supported are none, linear and ntk",
                      ErrorKind::kUnsupported);
  }
  return rope;
}

}  // namespace

Result<ModelConfig> ReadLlamaConfig(const GgufFile& gguf) {
  const ConfigReader read(gguf, "llama");
  ModelConfig c;
  c.architecture = "llama";
  if (read.Has("expert_count")) {
    ASSIGN_OR_RETURN(const int64_t n_experts, gguf.Int("llama.expert_count"));
    if (n_experts != 0) {
      return read.Wrong("expert_count", "says mixture of experts, which is not supported",
                        ErrorKind::kUnsupported);
    }
  }
  ASSIGN_OR_RETURN(c.n_layers, read.Size("block_count", kMaxLayers));
  ASSIGN_OR_RETURN(c.n_embd, read.Size("embedding_length", kMaxWidth));
  ASSIGN_OR_RETURN(c.n_ff, read.Size("feed_forward_length", kMaxWidth));
  ASSIGN_OR_RETURN(c.n_heads, read.Size("attention.head_count", kMaxWidth));
  ASSIGN_OR_RETURN(c.n_kv_heads, read.SizeOr("attention.head_count_kv", kMaxWidth, c.n_heads));
  if (c.n_heads % c.n_kv_heads != 0) {
    return read.Wrong("attention.head_count_kv", "is " + std::to_string(c.n_kv_heads) +
                                                     ", which does not divide " +
                                                     std::to_string(c.n_heads) + " heads");
  }
  const bool has_head_dim = read.Has("attention.key_length");
  if (!has_head_dim && c.n_embd % c.n_heads != 0) {
    return read.Wrong("attention.head_count", "is " + std::to_string(c.n_heads) +
                                                  ", which does not divide a width of " +
                                                  std::to_string(c.n_embd));
  }
  const int64_t max_head_dim = kMaxWidth / c.n_heads;
  ASSIGN_OR_RETURN(c.head_dim,
                   read.SizeOr("attention.key_length", max_head_dim, c.n_embd / c.n_heads));
  ASSIGN_OR_RETURN(const int32_t value_dim,
                   read.SizeOr("attention.value_length", max_head_dim, c.head_dim));
  if (value_dim != c.head_dim) {
    return read.Wrong("attention.value_length",
                      "is " + std::to_string(value_dim) + ", unlike a key's " +
                          std::to_string(c.head_dim) + ", which is not supported",
                      ErrorKind::kUnsupported);
  }
  ASSIGN_OR_RETURN(c.n_ctx_train, read.Size("context_length", std::numeric_limits<int32_t>::max()));
  // Within its local attention's reach a model attends densely, and no context is longer.
  ASSIGN_OR_RETURN(
      const int32_t reach,
      read.SizeOr("attention.sliding_window", std::numeric_limits<int32_t>::max(), c.n_ctx_train));
  c.n_ctx_train = std::min(c.n_ctx_train, reach);
  ASSIGN_OR_RETURN(c.rms_eps, read.Positive("attention.layer_norm_rms_epsilon"));
  ASSIGN_OR_RETURN(c.rope, ReadRope(read, c.head_dim));

  ASSIGN_OR_RETURN(const GgufTensor* embedding, gguf.Tensor("token_embd.weight"));
  if (embedding->rows() < 1 || embedding->rows() > kMaxVocab) {
    return Fail(ErrorKind::kInvalid, gguf.path() + ": tensor 'token_embd.weight'",
                "holds " + std::to_string(embedding->rows()) + " tokens, not 1.." +
                    std::to_string(kMaxVocab));
  }
  c.n_vocab = static_cast<int32_t>(embedding->rows());
  return c;
}

}  // namespace anabranch
