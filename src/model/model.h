// A language model: weights packed for one backend, and a workspace for its largest step.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "anabranch/types.h"
#include "base/result.h"
#include "io/gguf.h"
#include "kernels/cpu_exec.h"
#include "kv/step_plan.h"
#include "model/kv_cache.h"
#include "model/rope.h"

namespace anabranch {

struct ModelConfig {
  std::string architecture;  // "llama"
  int32_t n_layers = 0, n_embd = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0, n_ff = 0;
  int32_t n_vocab = 0;
  int32_t n_ctx_train = 0;  // the longest context that the model was trained for
  float rms_eps = 1e-5f;
  RopeConfig rope;
};

struct ModelOptions {
  int32_t max_batch = 512;  // rows of a step
};

// Threads: one at a time. A failed step leaves the caches' visible slots as they were.
class Model {
 public:
  static constexpr int32_t kMaxLogitRows = 32;

  virtual ~Model() = default;
  virtual const ModelConfig& config() const = 0;
  // Bytes of packed weights and of the workspace.
  virtual size_t weight_bytes() const = 0;
  virtual size_t workspace_bytes() const = 0;

  // Runs tokens [plan.rows] through all layers, appending their K and V to `kv` at plan.slots. The
  // final hidden states stay in the workspace until the next call. Allocates nothing.
  // Errors: a backend fault; a token outside [0, n_vocab).
  virtual Result<void> Forward(std::span<const TokenId> tokens, const StepPlan& plan,
                               KvCache& kv) = 0;

  // Logits [n, n_vocab] of rows [first_row, first_row + n) of the last Forward, n <= kMaxLogitRows;
  // they stay valid until the next call.
  virtual Result<std::span<const float>> Logits(int32_t first_row, int32_t n) = 0;
};

// The exec's limits must cover the config (ModelLimits). `gguf` need not outlive the model.
// Errors: an architecture that is not supported, a missing tensor or a wrong shape, named.
Result<std::unique_ptr<Model>> OpenModel(const GgufFile& gguf, CpuExec& exec,
                                         const ModelOptions& options);

// Reads and checks the hyper-parameters alone.
Result<ModelConfig> ReadModelConfig(const GgufFile& gguf);
ExecLimits ModelLimits(const ModelConfig& config, const ModelOptions& options);

}  // namespace anabranch
