// Tiny random models as files, for tests that need a whole model and no download. Same options: the
// same bytes. Weights are scaled so that activations stay near 1 and tokens' logits differ.
#pragma once

#include <cstdint>
#include <string>

#include "support/temp_dir.h"

namespace anabranch::testing {

// The type of the matrices (norms are F32). Quantised ones need columns that are multiples of 32.
enum class TinyWeights { kF32, kQ8_0, kQ4_0 };

struct TinyModelOptions {
  int32_t n_layers = 2, n_embd = 64, n_heads = 4, n_kv_heads = 2, head_dim = 16, n_ff = 96;
  int64_t n_ctx_train = 512;
  bool tied = true;  // the head is the embedding matrix; false: an output.weight of its own
  uint32_t seed = 1;
  float rope_theta = 10000.0f;
  TinyWeights weights = TinyWeights::kF32;
};

// The vocabulary of TinyModelGguf, in this order: the three special tokens, the 256 bytes (in
// byte order: token kTinyFirstByte + b is byte b), and a few merges (" t", "he", " the", …).
inline constexpr int32_t kTinyEndOfText = 0;  // <|endoftext|>
inline constexpr int32_t kTinyImStart = 1;    // <|im_start|>, the BOS
inline constexpr int32_t kTinyImEnd = 2;      // <|im_end|>, the EOS
inline constexpr int32_t kTinyFirstByte = 3;

// The bytes of a GGUF file: llama architecture, byte-level BPE (pre-tokenizer smollm), chatml.
std::string TinyModelGguf(const TinyModelOptions& options = {});

struct TinyEmbedderOptions {
  int32_t n_layers = 1, width = 32, n_heads = 2, n_ff = 64, max_len = 128;
  uint32_t seed = 1;
};

// Writes model.safetensors, config.json and vocab.txt of a BERT sentence embedder into the existing
// folder `dir`. The vocabulary: [PAD] [UNK] [CLS] [SEP] [MASK], then a-z, ##a-##z, 0-9, ##0-##9 and
// ASCII punctuation, so texts that share letters are closer than others.
void WriteTinyEmbedder(const std::string& dir, const TinyEmbedderOptions& options = {});

}  // namespace anabranch::testing
