#include "stream/context.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace anabranch {

Result<Context> Context::Create(Model& model, CpuExec& exec, const KvSizes& sizes, int32_t max_rows,
                                DType kv_dtype) {
  const ModelConfig& config = model.config();
  ASSIGN_OR_RETURN(KvCache cache, KvCache::Create(exec, {.n_layers = config.n_layers,
                                                         .n_kv_heads = config.n_kv_heads,
                                                         .head_dim = config.head_dim,
                                                         .slots = KvContext::Slots(sizes),
                                                         .dtype = kv_dtype}));
  return Context(model, sizes, max_rows, std::move(cache));
}

Result<Context> Context::Clone() const {
  ASSIGN_OR_RETURN(KvCache cache, cache_.Clone());
  Context copy(*model_, kv_.sizes(), plan_.max_rows, std::move(cache));
  copy.kv_ = kv_;
  return copy;
}

StreamPos Context::WindowBeginAfter(int64_t n) const {
  const KvSizes& sizes = kv_.sizes();
  return std::max(
      {sizes.first + sizes.n_pinned, kv_.skipped_to(), kv_.next() + (n - sizes.recent_size)});
}

Result<void> Context::Step(std::span<const TokenId> tokens) {
  const auto n = static_cast<int32_t>(tokens.size());
  kv_.PlanStream(n, &plan_);
  RETURN_IF_ERROR(model_->Forward(tokens, plan_, cache_));
  kv_.CommitStream(n);
  return {};
}

Result<void> Context::Recall(std::span<const TokenId> tokens) {
  const KvContext before = kv_;
  kv_.OpenRecalled();
  while (!tokens.empty()) {
    const auto batch =
        tokens.first(std::min<size_t>(tokens.size(), static_cast<size_t>(max_rows())));
    const auto n = static_cast<int32_t>(batch.size());
    kv_.PlanRecalled(n, &plan_);
    if (auto run = model_->Forward(batch, plan_, cache_); !run) {
      kv_ = before;
      return run;
    }
    kv_.CommitRecalled(n);
    tokens = tokens.subspan(batch.size());
  }
  return {};
}

bool Context::CanRewind(const KvContext& earlier) const {
  // Position p shares its slot with p - ring size, and the ring has room for max_batch positions
  // more than a row sees.
  return kv_.next() - earlier.next() <= kv_.sizes().max_batch;
}

void Context::Clear(StreamPos first, int64_t n_pinned) {
  KvSizes sizes = kv_.sizes();
  ANABRANCH_CHECK(n_pinned <= sizes.n_pinned);
  sizes.first = first;
  sizes.n_pinned = n_pinned;
  kv_ = KvContext(sizes);
}

}  // namespace anabranch
