// The llama architecture: Llama 2 and 3, Mistral, SmolLM2, TinyLlama.
#pragma once

#include <memory>

#include "base/result.h"
#include "io/gguf.h"
#include "model/model.h"

namespace anabranch {

// Reads and checks the hyper-parameters; errors name the file and the key.
Result<ModelConfig> ReadLlamaConfig(const GgufFile& gguf);

// `config` is ReadLlamaConfig's of the same file. Otherwise as OpenModel.
Result<std::unique_ptr<Model>> OpenLlama(const GgufFile& gguf, const ModelConfig& config,
                                         CpuExec& exec, const ModelOptions& options);

}  // namespace anabranch
