// A stream's context at work: its positions and slots, its keys and values, and the model that
// reads tokens into it.
//
// Invariant: a step is plan, run, commit. One that fails before its commit leaves the context as it
// was. Steps of all contexts of a model share its workspace: logits belong to the last step of any.
#pragma once

#include <span>
#include <utility>

#include "anabranch/types.h"
#include "base/result.h"
#include "kv/kv_context.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace anabranch {

class Context {
 public:
  // `model` and `exec` must outlive the context; a step has at most `max_rows` tokens, the model's
  // max_batch. Error kLimit: no memory for the keys and values.
  static Result<Context> Create(Model& model, CpuExec& exec, const KvSizes& sizes, int32_t max_rows,
                                DType kv_dtype = DType::kF16);
  // A copy with keys and values of its own.
  Result<Context> Clone() const;

  const KvContext& kv() const { return kv_; }
  int32_t max_rows() const { return plan_.max_rows; }
  // The oldest position still seen once n more tokens have been read.
  StreamPos WindowBeginAfter(int64_t n) const;

  // Reads the stream's next tokens, 1..max_rows of them. Allocates nothing.
  Result<void> Step(std::span<const TokenId> tokens);
  // Reads any number of tokens as recalled text that begins at the stream's next position: see
  // KvContext::OpenRecalled. A failure leaves none of it.
  Result<void> Recall(std::span<const TokenId> tokens);
  void Retract() { kv_.Retract(); }
  // Logits [n_vocab] of the last token of the last step.
  Result<std::span<const float>> Logits() { return model_->Logits(plan_.rows - 1, 1); }

  // True if what the stream saw at `earlier` still has its slots, so that Rewind may go back there.
  bool CanRewind(const KvContext& earlier) const;
  // Back to a state of this context. Going forward again to a state that was left is allowed too.
  void Rewind(const KvContext& state) { kv_ = state; }
  // See KvContext.
  void SkipTo(StreamPos pos) { kv_.SkipTo(pos); }
  // Empty, the next token at `first`; from now on `n_pinned` tokens, no more than before, are
  // pinned.
  void Clear(StreamPos first, int64_t n_pinned);

 private:
  Context(Model& model, const KvSizes& sizes, int32_t max_rows, KvCache cache)
      : model_(&model),
        kv_(sizes),
        cache_(std::move(cache)),
        plan_(max_rows, KvContext::kMaxBands, KvContext::kMaxSegments) {}

  Model* model_;
  KvContext kv_;
  KvCache cache_;
  StepPlan plan_;
};

}  // namespace anabranch
