#include "stream/sizes.h"

#include <fmt/format.h>

#include <algorithm>

namespace anabranch {
namespace {

Result<void> CheckMinimum(const char* flag, int64_t value, int64_t minimum) {
  if (value >= minimum) return {};
  return Fail(ErrorKind::kInvalid, flag, fmt::format("is {}, must be at least {}", value, minimum),
              "give a larger value");
}

}  // namespace

Result<StreamSizes> PlanSizes(const StreamOptions& options, const ModelConfig& config,
                              const ModelOptions& model_options, int64_t kept_prefix) {
  RETURN_IF_ERROR(CheckMinimum("--start-size", options.start_size, 0));
  RETURN_IF_ERROR(CheckMinimum("--keep", options.keep, -1));
  RETURN_IF_ERROR(CheckMinimum("--chunk-size", options.chunk_size, 1));
  RETURN_IF_ERROR(CheckMinimum("--recall-tokens", options.recall_tokens, 1));
  RETURN_IF_ERROR(CheckMinimum("--recent-size", options.recent_size.value_or(1), 1));

  if (options.kv_type == KvType::kQ8_0 && config.head_dim % kQ8Block != 0) {
    return Fail(ErrorKind::kUnsupported, "--kv-type q8_0",
                fmt::format("keeps values in blocks of {}, and the model's heads have {}", kQ8Block,
                            config.head_dim),
                "use --kv-type f16");
  }

  const bool recalls = options.recall != RecallMode::kNever;
  const int64_t n_ctx = config.n_ctx_train;
  const int64_t n_pinned = std::max(options.start_size, kept_prefix);
  const int64_t recall_slots = recalls ? options.recall_tokens + kRecallFrameTokens : 0;
  const int64_t fits = n_ctx - n_pinned - recall_slots;
  if (fits < 1) {
    return Fail(ErrorKind::kLimit, "the context",
                fmt::format("{} pinned tokens and {} for recalled text leave no room for a window "
                            "in the {} that the model was trained for",
                            n_pinned, recall_slots, n_ctx),
                "lower --start-size, --keep or --recall-tokens");
  }

  StreamSizes sizes;
  sizes.kv_dtype = options.kv_type == KvType::kQ8_0 ? DType::kQ8 : DType::kF16;
  int64_t recent_size = fits;
  if (options.streaming) {
    recent_size = std::min(options.recent_size.value_or(kDefaultRecentSize), fits);
    if (options.recent_size && *options.recent_size > fits) {
      return Fail(
          ErrorKind::kLimit, "--recent-size",
          fmt::format("{} does not fit: {} pinned + {} recent + {} for recalled text is "
                      "more than the {} tokens that the model was trained for",
                      *options.recent_size, n_pinned, *options.recent_size, recall_slots, n_ctx),
          fmt::format("use --recent-size {} or less", fits));
    }
    if (!options.recent_size && fits < kDefaultRecentSize) {
      sizes.plan.notice =
          fmt::format("--recent-size lowered from {} to {} to fit the model's context of {}",
                      kDefaultRecentSize, fits, n_ctx);
    }
  }

  // To be read again, a turn must not have overwritten what it saw at its split: the ring gets room
  // for a window more.
  const bool rereads = recalls && options.retract == RetractMode::kReread;
  const int64_t spare =
      rereads ? std::max<int64_t>(recent_size, model_options.max_batch) : model_options.max_batch;
  sizes.kv = KvSizes{.n_pinned = n_pinned,
                     .recent_size = recent_size,
                     .max_batch = static_cast<int32_t>(spare),
                     .recall_slots = recall_slots,
                     .first = options.first};
  StreamPlan& plan = sizes.plan;
  plan.n_pinned = n_pinned;
  plan.recent_size = recent_size;
  plan.recall_slots = recall_slots;
  plan.n_ctx_train = n_ctx;
  plan.kv_slots = KvContext::Slots(sizes.kv);
  plan.kv_bytes = static_cast<int64_t>(KvCache::Bytes(KvShape{.n_layers = config.n_layers,
                                                              .n_kv_heads = config.n_kv_heads,
                                                              .head_dim = config.head_dim,
                                                              .slots = plan.kv_slots,
                                                              .dtype = sizes.kv_dtype}));
  return sizes;
}

}  // namespace anabranch
