// The llama architecture's weights, packed.
#pragma once

#include <vector>

#include "base/result.h"
#include "io/gguf.h"
#include "model/model.h"

namespace anabranch {

struct LlamaLayer {
  DevPtr attn_norm;
  Weight qkv[3];
  DevPtr qkv_bias[3];  // null where the model has none
  Weight attn_output;
  DevPtr attn_output_bias;
  DevPtr ffn_norm;
  Weight gate, up, down;
};

struct LlamaWeights {
  Weight embedding;
  std::vector<LlamaLayer> layers;
  DevPtr output_norm;
  Weight head;  // the embedding, if they are tied
  Rope rope;
};

// Allocates from `memory`. Errors name file and tensor: missing, of another shape or a type without
// a kernel, or not a part of this architecture.
Result<LlamaWeights> LoadLlamaWeights(const GgufFile& gguf, const ModelConfig& config,
                                      DeviceMemory& memory);

}  // namespace anabranch
