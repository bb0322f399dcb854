#include "model/model.h"

#include <algorithm>
#include <string_view>

#include "io/file_kind.h"
#include "kv/kv_context.h"
#include "model/llama.h"

namespace anabranch {
namespace {

struct Architecture {
  std::string_view name;  // as in general.architecture
  Result<ModelConfig> (*read_config)(const GgufFile&);
  Result<std::unique_ptr<Model>> (*open)(const GgufFile&, const ModelConfig&, CpuExec&,
                                         const ModelOptions&);
};

constexpr Architecture kArchitectures[] = {
    {"llama", ReadLlamaConfig, OpenLlama},
};

// Their positions end with the context that they were trained for.
constexpr std::string_view kLearnedPositions[] = {"gpt2", "starcoder", "bert"};

Result<const Architecture*> FindArchitecture(const GgufFile& gguf) {
  ASSIGN_OR_RETURN(const std::string_view name, gguf.String("general.architecture"));
  std::string supported;
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) return &architecture;
    supported += (supported.empty() ? "" : ", ") + std::string(architecture.name);
  }
  const bool is_learned = std::ranges::find(kLearnedPositions, name) != std::end(kLearnedPositions);
  return Fail(
      ErrorKind::kUnsupported, gguf.path() + ": architecture " + QuoteName(name),
      is_learned ? "has learned absolute positions, so it cannot stream" : "is not supported",
      "use a model of one of these: " + supported);
}

}  // namespace

Result<ModelConfig> ReadModelConfig(const GgufFile& gguf) {
  ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(gguf));
  return architecture->read_config(gguf);
}

Result<std::unique_ptr<Model>> OpenModel(const GgufFile& gguf, CpuExec& exec,
                                         const ModelOptions& options) {
  ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(gguf));
  ASSIGN_OR_RETURN(const ModelConfig config, architecture->read_config(gguf));
  return architecture->open(gguf, config, exec, options);
}

ExecLimits ModelLimits(const ModelConfig& config, const ModelOptions& options) {
  ExecLimits limits;
  limits.max_rows = options.max_batch;
  limits.max_cols = std::max({config.n_embd, config.n_ff, config.n_heads * config.head_dim});
  limits.max_heads = config.n_heads;
  limits.max_head_dim = config.head_dim;
  limits.max_bands = KvContext::kMaxBands;
  return limits;
}

}  // namespace anabranch
