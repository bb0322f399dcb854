#include "model/llama.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "kv/kv_context.h"
#include "model/llama_weights.h"
#include "model/step_inputs.h"

namespace anabranch {
namespace {

// Activations of the largest step; a step uses the first rows.
struct Workspace {
  StepInputs inputs;
  Mat x;              // the residual stream
  Mat h;              // x, normalised
  Mat q, k, v, attn;  // attention's inputs and output
  Mat ff;             // the feed-forward network's inner activations
  Mat logits;
};

class Llama final : public Model {
 public:
  Llama(const ModelConfig& config, LlamaWeights weights, DeviceMemory weight_memory,
        const Workspace& workspace, DeviceMemory workspace_memory)
      : config_(config),
        weights_(std::move(weights)),
        weight_memory_(std::move(weight_memory)),
        ws_(workspace),
        workspace_memory_(std::move(workspace_memory)),
        logits_(static_cast<size_t>(ws_.logits.rows) * static_cast<size_t>(ws_.logits.cols)) {}

  const ModelConfig& config() const override { return config_; }
  size_t weight_bytes() const override { return weight_memory_.bytes(); }
  size_t workspace_bytes() const override { return workspace_memory_.bytes(); }

  Result<void> Forward(std::span<const TokenId> tokens, const StepPlan& plan, KvCache& kv) override;
  Result<std::span<const float>> Logits(int32_t first_row, int32_t n) override;

 private:
  Result<void> CheckTokens(std::span<const TokenId> tokens) const;

  ModelConfig config_;
  LlamaWeights weights_;
  DeviceMemory weight_memory_;
  Workspace ws_;
  DeviceMemory workspace_memory_;
  std::vector<float> logits_;
  int32_t rows_ = 0;  // of the last step; 0 if it failed
};

Result<void> Llama::Forward(std::span<const TokenId> tokens, const StepPlan& plan, KvCache& kv) {
  rows_ = 0;
  RETURN_IF_ERROR(CheckTokens(tokens));
  CpuExec& exec = weight_memory_.exec();
  const KernelTable& ops = exec.table();
  Exec& e = exec.exec();
  ws_.inputs.Upload(exec, tokens, plan);

  const int32_t n = plan.rows;
  const Mat x = RowsOf(ws_.x, 0, n), h = RowsOf(ws_.h, 0, n);
  const Mat qkv[3] = {RowsOf(ws_.q, 0, n), RowsOf(ws_.k, 0, n), RowsOf(ws_.v, 0, n)};
  const Mat attn = RowsOf(ws_.attn, 0, n), ff = RowsOf(ws_.ff, 0, n);
  const AttendOptions scaled{.scale = 1.0f / std::sqrt(static_cast<float>(config_.head_dim))};
  const Rope& rope = weights_.rope;

  ops.embed(e, weights_.embedding, ws_.inputs.ids, 1.0f, x);
  for (int32_t l = 0; l < config_.n_layers; ++l) {
    const LlamaLayer& w = weights_.layers[static_cast<size_t>(l)];
    const KvArena& arena = kv.layer(l);

    ops.rms_norm(e, x, w.attn_norm, config_.rms_eps, h);
    ops.matmul(e, h, {w.qkv, 3}, {w.qkv_bias, 3}, /*add=*/false, {qkv, 3});
    ops.append(e, qkv[1], qkv[2], rope, ws_.inputs.stored_pos, ws_.inputs.slots, arena);
    ops.attend(e, qkv[0], rope, arena, ws_.inputs.attend, l, scaled, attn);
    ops.matmul(e, attn, {&w.attn_output, 1}, {&w.attn_output_bias, 1}, /*add=*/true, {&x, 1});

    ops.rms_norm(e, x, w.ffn_norm, config_.rms_eps, h);
    ops.gated(e, h, w.gate, w.up, Activation::kSilu, ff);
    ops.matmul(e, ff, {&w.down, 1}, {nullptr, 0}, /*add=*/true, {&x, 1});
  }
  RETURN_IF_ERROR(Sync(exec));
  rows_ = n;
  return {};
}

Result<std::span<const float>> Llama::Logits(int32_t first_row, int32_t n) {
  ANABRANCH_CHECK(first_row >= 0 && n >= 1 && n <= kMaxLogitRows && first_row + n <= rows_);
  CpuExec& exec = weight_memory_.exec();
  const KernelTable& ops = exec.table();
  Exec& e = exec.exec();
  const Mat x = RowsOf(ws_.x, first_row, n), h = RowsOf(ws_.h, 0, n);
  const Mat logits = RowsOf(ws_.logits, 0, n);

  ops.rms_norm(e, x, weights_.output_norm, config_.rms_eps, h);
  ops.matmul(e, h, {&weights_.head, 1}, {nullptr, 0}, /*add=*/false, {&logits, 1});

  const size_t n_logits = static_cast<size_t>(n) * static_cast<size_t>(config_.n_vocab);
  ops.download(e,
               {reinterpret_cast<unsigned char*>(logits_.data()),
                static_cast<int64_t>(n_logits * sizeof(float))},
               logits.data);
  RETURN_IF_ERROR(Sync(exec));
  return std::span<const float>(logits_.data(), n_logits);
}

Result<void> Llama::CheckTokens(std::span<const TokenId> tokens) const {
  for (TokenId token : tokens) {
    if (token.value() >= 0 && token.value() < config_.n_vocab) continue;
    return Fail(ErrorKind::kInvalid, "token " + std::to_string(token.value()),
                "is outside the model's vocabulary of " + std::to_string(config_.n_vocab));
  }
  return {};
}

Result<Workspace> PlanWorkspace(const ModelConfig& c, const ModelOptions& options,
                                DeviceMemory& memory) {
  const int32_t rows = options.max_batch;
  const int32_t q_width = c.n_heads * c.head_dim, kv_width = c.n_kv_heads * c.head_dim;
  const std::string what = "workspace";
  Workspace ws;
  ASSIGN_OR_RETURN(ws.inputs,
                   StepInputs::Create(memory, rows, KvContext::kMaxBands, KvContext::kMaxSegments));
  ASSIGN_OR_RETURN(ws.x, memory.AllocMat(rows, c.n_embd, what));
  ASSIGN_OR_RETURN(ws.h, memory.AllocMat(rows, c.n_embd, what));
  ASSIGN_OR_RETURN(ws.q, memory.AllocMat(rows, q_width, what));
  ASSIGN_OR_RETURN(ws.k, memory.AllocMat(rows, kv_width, what));
  ASSIGN_OR_RETURN(ws.v, memory.AllocMat(rows, kv_width, what));
  ASSIGN_OR_RETURN(ws.attn, memory.AllocMat(rows, q_width, what));
  ASSIGN_OR_RETURN(ws.ff, memory.AllocMat(rows, c.n_ff, what));
  const int32_t logit_rows = std::min(rows, Model::kMaxLogitRows);
  ASSIGN_OR_RETURN(ws.logits, memory.AllocMat(logit_rows, c.n_vocab, what));
  return ws;
}

}  // namespace

Result<std::unique_ptr<Model>> OpenLlama(const GgufFile& gguf, const ModelConfig& config,
                                         CpuExec& exec, const ModelOptions& options) {
  ANABRANCH_CHECK(options.max_batch >= 1);
  DeviceMemory weight_memory(exec), workspace_memory(exec);
  ASSIGN_OR_RETURN(LlamaWeights weights, LoadLlamaWeights(gguf, config, weight_memory));
  ASSIGN_OR_RETURN(const Workspace workspace, PlanWorkspace(config, options, workspace_memory));
  return std::make_unique<Llama>(config, std::move(weights), std::move(weight_memory), workspace,
                                 std::move(workspace_memory));
}

}  // namespace anabranch
