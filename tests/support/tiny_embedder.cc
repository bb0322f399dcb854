#include <cctype>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "support/random_weights.h"
#include "support/tiny_model.h"

namespace anabranch::testing {
namespace {

std::vector<std::string> Vocabulary() {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (char c = '!'; c <= '~'; ++c) {
    if (c >= 'A' && c <= 'Z') continue;
    tokens.emplace_back(1, c);
    if (isalnum(c)) tokens.push_back(std::string("##") + c);
  }
  return tokens;
}

// A safetensors file, written tensor by tensor.
class SafetensorsWriter {
 public:
  explicit SafetensorsWriter(uint32_t seed) : random_(seed) {}

  void Add(const std::string& name, const std::vector<int64_t>& shape, float deviation,
           float mean = 0.0f) {
    size_t n = 1;
    std::string sizes;
    for (int64_t size : shape) {
      n *= static_cast<size_t>(size);
      sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    }
    const std::vector<float> values = random_.Uniform(n, deviation, mean);
    const size_t begin = data_.size();
    data_.append(reinterpret_cast<const char*>(values.data()), n * sizeof(float));
    header_ += (header_.empty() ? "{\"" : ",\"") + name + "\":{\"dtype\":\"F32\",\"shape\":[" +
               sizes + "],\"data_offsets\":[" + std::to_string(begin) + "," +
               std::to_string(data_.size()) + "]}";
  }
  void Linear(const std::string& name, int64_t rows, int64_t cols, float gain) {
    Add(name + ".weight", {rows, cols}, gain / std::sqrt(static_cast<float>(cols)));
    Add(name + ".bias", {rows}, 0.1f);
  }
  void LayerNorm(const std::string& name, int64_t width) {
    Add(name + ".weight", {width}, 0.1f, 1.0f);
    Add(name + ".bias", {width}, 0.1f);
  }
  std::string Build() const {
    std::string header = header_ + "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');  // aligns the data
    const uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data_;
  }

 private:
  RandomWeights random_;
  std::string header_, data_;
};

void WriteFileIn(const std::string& dir, const std::string& name, const std::string& bytes) {
  std::ofstream file(dir + "/" + name, std::ios::binary);
  if (!(file << bytes).flush()) throw std::runtime_error("cannot write " + name + " in " + dir);
}

}  // namespace

void WriteTinyEmbedder(const std::string& dir, const TinyEmbedderOptions& options) {
  const std::vector<std::string> vocabulary = Vocabulary();
  std::string vocab_lines;
  for (const std::string& token : vocabulary) vocab_lines += token + "\n";
  WriteFileIn(dir, "vocab.txt", vocab_lines);

  auto setting = [](const char* key, int64_t value) {
    return ",\n  \"" + std::string(key) + "\": " + std::to_string(value);
  };
  const auto n_vocab = static_cast<int64_t>(vocabulary.size());
  WriteFileIn(dir, "config.json",
              "{\n  \"architectures\": [\"BertModel\"],\n  \"model_type\": \"bert\",\n"
              "  \"hidden_act\": \"gelu\",\n  \"layer_norm_eps\": 1e-12,\n"
              "  \"position_embedding_type\": \"absolute\"" +
                  setting("hidden_size", options.width) +
                  setting("intermediate_size", options.n_ff) +
                  setting("max_position_embeddings", options.max_len) +
                  setting("num_attention_heads", options.n_heads) +
                  setting("num_hidden_layers", options.n_layers) + setting("pad_token_id", 0) +
                  setting("type_vocab_size", 2) + setting("vocab_size", n_vocab) + "\n}\n");

  // Positions and layers add little to a token's own vector: which letters stand in a text decides
  // where it lies.
  constexpr float kPositionDeviation = 0.1f, kLayerGain = 0.3f;
  const int64_t width = options.width, n_ff = options.n_ff;
  SafetensorsWriter tensors(options.seed);
  tensors.LayerNorm("embeddings.LayerNorm", width);
  tensors.Add("embeddings.position_embeddings.weight", {options.max_len, width},
              kPositionDeviation);
  tensors.Add("embeddings.token_type_embeddings.weight", {2, width}, kPositionDeviation);
  tensors.Add("embeddings.word_embeddings.weight", {n_vocab, width}, 1.0f);
  for (int32_t layer = 0; layer < options.n_layers; ++layer) {
    const std::string prefix = "encoder.layer." + std::to_string(layer) + ".";
    tensors.Linear(prefix + "attention.self.query", width, width, 1.0f);
    tensors.Linear(prefix + "attention.self.key", width, width, 1.0f);
    tensors.Linear(prefix + "attention.self.value", width, width, kLayerGain);
    tensors.Linear(prefix + "attention.output.dense", width, width, 1.0f);
    tensors.LayerNorm(prefix + "attention.output.LayerNorm", width);
    tensors.Linear(prefix + "intermediate.dense", n_ff, width, 1.0f);
    tensors.Linear(prefix + "output.dense", width, n_ff, kLayerGain);
    tensors.LayerNorm(prefix + "output.LayerNorm", width);
  }
  WriteFileIn(dir, "model.safetensors", tensors.Build());
}

}  // namespace anabranch::testing
