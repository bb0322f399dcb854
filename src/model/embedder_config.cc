#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "io/file_kind.h"
#include "model/embedder.h"

namespace anabranch {
namespace {

using nlohmann::json;

constexpr const char* kWhat = "embedder config.json";
constexpr int64_t kMaxWidth = int64_t{1} << 16, kMaxVocab = int64_t{1} << 24;

Result<int32_t> Size(const json& config, const char* key, int64_t max) {
  const auto value = config.find(key);
  if (value == config.end() || !value->is_number_integer()) {
    return Fail(ErrorKind::kInvalid, kWhat, std::string("has no integer '") + key + "'");
  }
  const auto size = value->get<int64_t>();
  if (size < 1 || size > max) {
    return Fail(ErrorKind::kInvalid, kWhat,
                std::string("'") + key + "' is " + std::to_string(size) + ", not in 1.." +
                    std::to_string(max));
  }
  return static_cast<int32_t>(size);
}

// Error unless the key, if present, has the one value that the forward pass computes.
Result<void> Must(const json& config, const char* key, const char* wanted) {
  const auto value = config.find(key);
  if (value == config.end() || (value->is_string() && *value == wanted)) return {};
  const std::string given = value->is_string() ? value->get<std::string>() : "no text";
  return Fail(ErrorKind::kUnsupported, kWhat,
              std::string("'") + key + "' is " + QuoteName(given) + "; supported is " + wanted);
}

}  // namespace

Result<EmbedderConfig> ReadEmbedderConfig(const std::string& config_json) {
  const json config = json::parse(config_json, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return Fail(ErrorKind::kCorrupt, kWhat, "is not a JSON object");
  RETURN_IF_ERROR(Must(config, "model_type", "bert"));
  RETURN_IF_ERROR(Must(config, "hidden_act", "gelu"));
  RETURN_IF_ERROR(Must(config, "position_embedding_type", "absolute"));

  EmbedderConfig c;
  ASSIGN_OR_RETURN(c.n_layers, Size(config, "num_hidden_layers", 1024));
  ASSIGN_OR_RETURN(c.width, Size(config, "hidden_size", kMaxWidth));
  ASSIGN_OR_RETURN(c.n_heads, Size(config, "num_attention_heads", kMaxWidth));
  ASSIGN_OR_RETURN(c.n_ff, Size(config, "intermediate_size", kMaxWidth));
  ASSIGN_OR_RETURN(c.n_vocab, Size(config, "vocab_size", kMaxVocab));
  ASSIGN_OR_RETURN(c.max_len, Size(config, "max_position_embeddings", Embedder::kMaxBatchTokens));
  if (c.width % c.n_heads != 0) {
    return Fail(
        ErrorKind::kInvalid, kWhat,
        std::to_string(c.n_heads) + " heads do not divide a width of " + std::to_string(c.width));
  }
  if (const auto eps = config.find("layer_norm_eps"); eps != config.end()) {
    const double value = eps->is_number() ? eps->get<double>() : -1.0;
    if (!std::isfinite(value) || value < 0 || value > 1) {
      return Fail(ErrorKind::kInvalid, kWhat, "'layer_norm_eps' is not a number in [0, 1]");
    }
    c.layer_norm_eps = static_cast<float>(value);
  }
  return c;
}

}  // namespace anabranch
