#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "model/bert_weights.h"
#include "model/embedder.h"
#include "model/kv_cache.h"
#include "model/step_inputs.h"
#include "tensor/dequantize.h"

namespace anabranch {
namespace {

constexpr int32_t kMaxRows = Embedder::kMaxBatchTokens;

using Text = std::span<const TokenId>;

struct Workspace {
  StepInputs inputs;
  Mat x;              // the residual stream
  Mat q, k, v, attn;  // attention's inputs and output
  Mat ff;             // the feed-forward network's inner activations
};

class Bert final : public Embedder {
 public:
  Bert(const SafetensorsFile& file, const EmbedderConfig& config, BertWeights weights,
       const Workspace& workspace, DeviceMemory memory, KvCache kv)
      : file_(file),
        config_(config),
        weights_(std::move(weights)),
        ws_(workspace),
        memory_(std::move(memory)),
        kv_(std::move(kv)) {
    hidden_.reserve(static_cast<size_t>(kMaxRows) * Width());
    ids_.reserve(static_cast<size_t>(kMaxRows));
  }

  const EmbedderConfig& config() const override { return config_; }
  Result<void> Embed(std::span<const Text> texts, std::span<float> out) override;

 private:
  size_t Width() const { return static_cast<size_t>(config_.width); }
  Result<void> Check(std::span<const Text> texts) const;
  // One step over texts of at most kMaxRows tokens in all.
  Result<void> EmbedBatch(std::span<const Text> texts, std::span<float> out);
  void SumEmbeddings(std::span<const Text> texts);
  void PlanBlocks(std::span<const Text> texts);
  Result<void> Encode();
  void Pool(std::span<const Text> texts, std::span<float> out) const;

  SafetensorsFile file_;  // keeps the token embeddings mapped
  EmbedderConfig config_;
  BertWeights weights_;
  Workspace ws_;
  DeviceMemory memory_;
  KvCache kv_;  // one layer's, used by all in turn
  StepPlan plan_{kMaxRows, 1, 1};
  std::vector<TokenId> ids_;
  std::vector<float> hidden_;  // [rows, width]: the encoder's input, then its output
};

Result<void> Bert::Check(std::span<const Text> texts) const {
  for (const Text& text : texts) {
    if (text.empty() || text.size() > static_cast<size_t>(config_.max_len)) {
      return Fail(ErrorKind::kInvalid, "text to embed",
                  "has " + std::to_string(text.size()) + " tokens, not 1.." +
                      std::to_string(config_.max_len));
    }
    for (TokenId token : text) {
      if (token.value() >= 0 && token.value() < config_.n_vocab) continue;
      return Fail(ErrorKind::kInvalid, "token " + std::to_string(token.value()),
                  "is outside the embedder's vocabulary of " + std::to_string(config_.n_vocab));
    }
  }
  return {};
}

Result<void> Bert::Embed(std::span<const Text> texts, std::span<float> out) {
  ANABRANCH_CHECK(out.size() == texts.size() * Width());
  RETURN_IF_ERROR(Check(texts));
  while (!texts.empty()) {
    size_t n = 0, n_tokens = 0;
    while (n < texts.size() && n_tokens + texts[n].size() <= static_cast<size_t>(kMaxRows)) {
      n_tokens += texts[n++].size();
    }
    RETURN_IF_ERROR(EmbedBatch(texts.first(n), out.first(n * Width())));
    texts = texts.subspan(n);
    out = out.subspan(n * Width());
  }
  return {};
}

Result<void> Bert::EmbedBatch(std::span<const Text> texts, std::span<float> out) {
  SumEmbeddings(texts);
  PlanBlocks(texts);
  RETURN_IF_ERROR(Encode());
  Pool(texts, out);
  return {};
}

// On the host: no op adds matrices, and these rows are few.
void Bert::SumEmbeddings(std::span<const Text> texts) {
  const size_t width = Width(),
               row_bytes = weights_.words.size() / static_cast<size_t>(config_.n_vocab);
  ids_.clear();
  hidden_.clear();
  for (const Text& text : texts) {
    for (size_t i = 0; i < text.size(); ++i) {
      ids_.push_back(text[i]);
      hidden_.resize(hidden_.size() + width);
      const std::span<float> row = std::span(hidden_).last(width);
      const auto id = static_cast<size_t>(text[i].value());
      Dequantize(weights_.words_type, weights_.words.subspan(id * row_bytes, row_bytes), row);
      for (size_t c = 0; c < width; ++c) row[c] += weights_.positions[i * width + c];
    }
  }
}

// One segment; each row sees the rows of its own text.
void Bert::PlanBlocks(std::span<const Text> texts) {
  const auto rows = static_cast<int32_t>(ids_.size());
  plan_.Begin(rows, 1);
  plan_.segments.push_back({.base = 0, .slot = 0, .n = rows, .offset = 0, .band = 0});
  int32_t r = 0;
  for (const Text& text : texts) {
    const int32_t begin = r, end = begin + static_cast<int32_t>(text.size());
    for (; r < end; ++r) {
      plan_.stored_pos[static_cast<size_t>(r)] = r;
      plan_.slots[static_cast<size_t>(r)] = r;
      plan_.At(0, r) = {.delta = 0, .lo = begin, .hi = end};
    }
  }
}

Result<void> Bert::Encode() {
  CpuExec& exec = memory_.exec();
  const KernelTable& ops = exec.table();
  Exec& e = exec.exec();
  ws_.inputs.Upload(exec, ids_, plan_);

  const int32_t n = plan_.rows;
  const Mat x = RowsOf(ws_.x, 0, n), attn = RowsOf(ws_.attn, 0, n), ff = RowsOf(ws_.ff, 0, n);
  const Mat qkv[3] = {RowsOf(ws_.q, 0, n), RowsOf(ws_.k, 0, n), RowsOf(ws_.v, 0, n)};
  const KvArena& arena = kv_.layer(0);
  const Rope no_rope;
  const AttendOptions scaled{.scale = 1.0f / std::sqrt(static_cast<float>(arena.head_dim))};
  const float eps = config_.layer_norm_eps;

  ops.upload(e, x.data, BytesOf(std::span<const float>(hidden_)));
  ops.layer_norm(e, x, weights_.embedding_norm.gain, weights_.embedding_norm.bias, eps, x);
  for (const BertLayer& w : weights_.layers) {
    ops.matmul(e, x, {w.qkv, 3}, {w.qkv_bias, 3}, /*add=*/false, {qkv, 3});
    ops.append(e, qkv[1], qkv[2], no_rope, ws_.inputs.stored_pos, ws_.inputs.slots, arena);
    ops.attend(e, qkv[0], no_rope, arena, ws_.inputs.attend, 0, scaled, attn);
    ops.matmul(e, attn, {&w.attn_output.weight, 1}, {&w.attn_output.bias, 1}, /*add=*/true,
               {&x, 1});
    ops.layer_norm(e, x, w.attn_norm.gain, w.attn_norm.bias, eps, x);

    ops.matmul(e, x, {&w.intermediate.weight, 1}, {&w.intermediate.bias, 1}, /*add=*/false,
               {&ff, 1});
    ops.activate(e, ff, Activation::kGelu);
    ops.matmul(e, ff, {&w.output.weight, 1}, {&w.output.bias, 1}, /*add=*/true, {&x, 1});
    ops.layer_norm(e, x, w.output_norm.gain, w.output_norm.bias, eps, x);
  }
  ops.download(e,
               {reinterpret_cast<unsigned char*>(hidden_.data()),
                static_cast<int64_t>(hidden_.size() * sizeof(float))},
               x.data);
  return Sync(exec);
}

// The mean of a text's rows, at unit length.
void Bert::Pool(std::span<const Text> texts, std::span<float> out) const {
  const size_t width = Width();
  std::span<const float> rows = hidden_;
  for (const Text& text : texts) {
    const std::span<float> mean = out.first(width);
    double squares = 0;
    for (size_t c = 0; c < width; ++c) {
      double sum = 0;
      for (size_t i = 0; i < text.size(); ++i) sum += static_cast<double>(rows[i * width + c]);
      mean[c] = static_cast<float>(sum / static_cast<double>(text.size()));
      squares += static_cast<double>(mean[c]) * static_cast<double>(mean[c]);
    }
    // As sentence-transformers: a vector of zeros stays one.
    const auto length = static_cast<float>(std::max(std::sqrt(squares), 1e-12));
    for (float& value : mean) value /= length;
    rows = rows.subspan(text.size() * width);
    out = out.subspan(width);
  }
}

Result<Workspace> PlanWorkspace(const EmbedderConfig& c, DeviceMemory& memory) {
  const std::string what = "embedder workspace";
  Workspace ws;
  ASSIGN_OR_RETURN(ws.inputs, StepInputs::Create(memory, kMaxRows, 1, 1));
  for (Mat* mat : {&ws.x, &ws.q, &ws.k, &ws.v, &ws.attn}) {
    ASSIGN_OR_RETURN(*mat, memory.AllocMat(kMaxRows, c.width, what));
  }
  ASSIGN_OR_RETURN(ws.ff, memory.AllocMat(kMaxRows, c.n_ff, what));
  return ws;
}

}  // namespace

ExecLimits EmbedderLimits(const EmbedderConfig& config) {
  ExecLimits limits;
  limits.max_rows = kMaxRows;
  limits.max_cols = std::max(config.width, config.n_ff);
  limits.max_heads = config.n_heads;
  limits.max_head_dim = config.width / config.n_heads;
  limits.max_bands = 1;
  return limits;
}

Result<std::unique_ptr<Embedder>> OpenEmbedder(const SafetensorsFile& file,
                                               const EmbedderConfig& config, CpuExec& exec) {
  DeviceMemory memory(exec);
  ASSIGN_OR_RETURN(BertWeights weights, LoadBertWeights(file, config, memory));
  ASSIGN_OR_RETURN(const Workspace workspace, PlanWorkspace(config, memory));
  ASSIGN_OR_RETURN(KvCache kv, KvCache::Create(exec, {.n_layers = 1,
                                                      .n_kv_heads = config.n_heads,
                                                      .head_dim = config.width / config.n_heads,
                                                      .slots = kMaxRows,
                                                      .dtype = DType::kF32}));
  return std::make_unique<Bert>(file, config, std::move(weights), workspace, std::move(memory),
                                std::move(kv));
}

}  // namespace anabranch
