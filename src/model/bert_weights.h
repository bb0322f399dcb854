// A BERT encoder's weights from safetensors, packed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/safetensors.h"
#include "model/device_memory.h"
#include "model/embedder.h"
#include "tensor/dtype.h"

namespace anabranch {

struct Linear {
  Weight weight;
  DevPtr bias;
};

struct LayerNorm {
  DevPtr gain, bias;
};

struct BertLayer {
  Weight qkv[3];
  DevPtr qkv_bias[3];
  Linear attn_output;
  LayerNorm attn_norm;
  Linear intermediate, output;
  LayerNorm output_norm;
};

struct BertWeights {
  // Token embeddings stay in the file: raw rows of `width` elements.
  std::span<const std::byte> words;
  GgufType words_type = GgufType::kF32;
  std::vector<float> positions;  // [max_len, width]: position embedding + that of text type 0
  LayerNorm embedding_norm;
  std::vector<BertLayer> layers;
};

// Names as BertModel writes them, with or without "bert." before. Errors name file and tensor:
// missing, of another shape or type.
Result<BertWeights> LoadBertWeights(const SafetensorsFile& file, const EmbedderConfig& config,
                                    DeviceMemory& memory);

}  // namespace anabranch
