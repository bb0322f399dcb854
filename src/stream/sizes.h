// How large a stream's context is: from what the user asked for and what the model was trained for.
#pragma once

#include "anabranch/stream.h"
#include "base/result.h"
#include "kv/kv_context.h"
#include "model/model.h"

namespace anabranch {

// Tokens that the words around recalled passages may take, beside recall_tokens.
inline constexpr int64_t kRecallFrameTokens = 112;
// Used when the user names no size.
inline constexpr int64_t kDefaultRecentSize = 4096;

struct StreamSizes {
  KvSizes kv;
  DType kv_dtype = DType::kF16;
  StreamPlan plan;
};

// `kept_prefix`: tokens at the start of the stream that stay beside the sinks (0: none).
// Errors: heads that --kv-type does not fit; an explicit recent_size, or a prefix, that does not
// fit n_ctx_train, with the numbers; a size below its minimum.
Result<StreamSizes> PlanSizes(const StreamOptions& options, const ModelConfig& config,
                              const ModelOptions& model_options, int64_t kept_prefix);

}  // namespace anabranch
