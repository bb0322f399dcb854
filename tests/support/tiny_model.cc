#include "support/tiny_model.h"

#include <cmath>
#include <utility>
#include <vector>

#include "support/gguf_builder.h"
#include "support/random_weights.h"

namespace anabranch::testing {
namespace {

constexpr const char* kChatml =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' "
    "}}{% endif %}";

std::string Utf8(uint32_t code) {  // below U+0800
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

// GPT-2's spelling of a byte: itself if it is printable in Latin-1, else the next of U+0100….
std::vector<std::string> ByteTokens() {
  std::vector<std::string> tokens;
  uint32_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    tokens.push_back(Utf8(printable ? byte : next++));
  }
  return tokens;
}

void AddVocabulary(GgufBuilder& gguf, size_t& n_vocab) {
  constexpr int32_t kNormal = 1, kControl = 3;
  std::vector<std::string> tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  std::vector<int32_t> types(tokens.size(), kControl);
  for (std::string& token : ByteTokens()) tokens.push_back(std::move(token));
  const std::string space = Utf8(0x120);
  const std::pair<std::string, std::string> merges[] = {
      {space, "t"}, {"h", "e"}, {space + "t", "he"}, {"i", "n"},
      {"e", "r"},   {"a", "n"}, {"o", "n"},          {space, "a"},
  };
  std::vector<std::string> merge_lines;
  for (const auto& [left, right] : merges) {
    merge_lines.push_back(left + " " + right);
    tokens.push_back(left + right);
  }
  types.resize(tokens.size(), kNormal);
  n_vocab = tokens.size();
  gguf.String("tokenizer.ggml.model", "gpt2")
      .String("tokenizer.ggml.pre", "smollm")
      .Strings("tokenizer.ggml.tokens", tokens)
      .Int32s("tokenizer.ggml.token_type", types)
      .Strings("tokenizer.ggml.merges", merge_lines)
      .Uint32("tokenizer.ggml.bos_token_id", kTinyImStart)
      .Uint32("tokenizer.ggml.eos_token_id", kTinyImEnd)
      .Uint32("tokenizer.ggml.unknown_token_id", kTinyEndOfText)
      .Bool("tokenizer.ggml.add_space_prefix", false)
      .Bool("tokenizer.ggml.add_bos_token", false)
      .String("tokenizer.chat_template", kChatml);
}

// Blocks of 32: an f16 scale, here a power of two, then random quants.
std::string RandomBlocks(size_t n, TinyWeights type, float deviation, RandomWeights& random) {
  constexpr size_t kBlock = 32;
  const bool is_q8 = type == TinyWeights::kQ8_0;
  const float quant_deviation = is_q8 ? 73.9f : 4.61f;  // of uniform int8 and uniform nibbles
  const int exponent = static_cast<int>(std::lround(std::log2(deviation / quant_deviation)));
  const auto scale = static_cast<uint16_t>((exponent + 15) << 10);
  std::string raw;
  for (size_t block = 0; block < n / kBlock; ++block) {
    raw += static_cast<char>(scale & 0xFF);
    raw += static_cast<char>(scale >> 8);
    for (size_t i = 0; i < (is_q8 ? kBlock : kBlock / 2); ++i) {
      raw += static_cast<char>(random.Bits() >> 24);
    }
  }
  return raw;
}

// Adds tensors in the order of the calls, each from the next random numbers.
class TensorWriter {
 public:
  TensorWriter(GgufBuilder& gguf, const TinyModelOptions& options)
      : gguf_(gguf), weights_(options.weights), random_(options.seed) {}

  void Matrix(const std::string& name, int64_t rows, int64_t cols, float deviation) {
    const auto n = static_cast<size_t>(rows * cols);
    if (weights_ == TinyWeights::kF32) {
      gguf_.TensorF32(name, {cols, rows}, random_.Uniform(n, deviation));
    } else {
      constexpr uint32_t kQ4_0 = 2, kQ8_0 = 8;  // GGUF's numbers
      gguf_.Tensor(name, weights_ == TinyWeights::kQ8_0 ? kQ8_0 : kQ4_0, {cols, rows},
                   RandomBlocks(n, weights_, deviation, random_));
    }
  }
  // Keeps the size of what it multiplies: rows of norm near 1.
  void Projection(const std::string& name, int64_t rows, int64_t cols, float gain = 1.0f) {
    Matrix(name, rows, cols, gain / std::sqrt(static_cast<float>(cols)));
  }
  void Norm(const std::string& name, int64_t width) {
    gguf_.TensorF32(name, {width}, random_.Uniform(static_cast<size_t>(width), 0.1f, 1.0f));
  }

 private:
  GgufBuilder& gguf_;
  TinyWeights weights_;
  RandomWeights random_;
};

}  // namespace

std::string TinyModelGguf(const TinyModelOptions& options) {
  auto u32 = [](auto value) { return static_cast<uint32_t>(value); };
  GgufBuilder gguf;
  gguf.String("general.architecture", "llama")
      .String("general.name", "tiny random llama")
      .Uint32("llama.block_count", u32(options.n_layers))
      .Uint32("llama.context_length", u32(options.n_ctx_train))
      .Uint32("llama.embedding_length", u32(options.n_embd))
      .Uint32("llama.feed_forward_length", u32(options.n_ff))
      .Uint32("llama.attention.head_count", u32(options.n_heads))
      .Uint32("llama.attention.head_count_kv", u32(options.n_kv_heads))
      .Uint32("llama.attention.key_length", u32(options.head_dim))
      .Uint32("llama.attention.value_length", u32(options.head_dim))
      .Float32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
      .Float32("llama.rope.freq_base", options.rope_theta)
      .Uint32("llama.rope.dimension_count", u32(options.head_dim));
  size_t n_vocab = 0;
  AddVocabulary(gguf, n_vocab);
  gguf.Uint32("llama.vocab_size", u32(n_vocab));

  // Rows of the head of norm 2.4: logits with a deviation of 2.4. The embedding stays small beside
  // what the layers add, so that a tied head does not just repeat the token.
  const float head_deviation = 2.4f / std::sqrt(static_cast<float>(options.n_embd));
  const int64_t width = options.n_embd, n_ff = options.n_ff;
  const int64_t q_width = int64_t{options.n_heads} * options.head_dim;
  const int64_t kv_width = int64_t{options.n_kv_heads} * options.head_dim;
  TensorWriter tensors(gguf, options);
  tensors.Matrix("token_embd.weight", static_cast<int64_t>(n_vocab), width, head_deviation);
  for (int32_t layer = 0; layer < options.n_layers; ++layer) {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    tensors.Norm(prefix + "attn_norm.weight", width);
    // Scores with a deviation of 2, so that attention has favourites in a long window.
    tensors.Projection(prefix + "attn_q.weight", q_width, width, 2.0f);
    tensors.Projection(prefix + "attn_k.weight", kv_width, width);
    tensors.Projection(prefix + "attn_v.weight", kv_width, width);
    tensors.Projection(prefix + "attn_output.weight", width, q_width);
    tensors.Norm(prefix + "ffn_norm.weight", width);
    tensors.Projection(prefix + "ffn_gate.weight", n_ff, width);
    tensors.Projection(prefix + "ffn_up.weight", n_ff, width);
    tensors.Projection(prefix + "ffn_down.weight", width, n_ff);
  }
  tensors.Norm("output_norm.weight", width);
  if (!options.tied) {
    tensors.Matrix("output.weight", static_cast<int64_t>(n_vocab), width, head_deviation);
  }
  return gguf.Build();
}

}  // namespace anabranch::testing
