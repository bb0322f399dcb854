#include "engine/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/wall_clock.h"
#include "stream/context.h"
#include "stream/sizes.h"

namespace anabranch {

double NegativeLogLikelihood(std::span<const float> logits, TokenId token) {
  const float max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  return std::log(sum) + max - logits[static_cast<size_t>(token.value())];
}

Result<PerplexityReport> MeasurePerplexity(Model& model, CpuExec& exec, int32_t max_batch,
                                           std::span<const TokenId> tokens,
                                           const PerplexityOptions& options) {
  if (tokens.size() < 2) {
    return Fail(ErrorKind::kInvalid, "the text",
                fmt::format("has {} tokens, and the first is not predicted", tokens.size()),
                "give a longer text");
  }
  StreamOptions stream;
  stream.streaming = options.streaming;
  stream.start_size = options.start_size;
  stream.recent_size = options.recent_size;
  stream.kv_type = options.kv_type;
  ASSIGN_OR_RETURN(const StreamSizes sizes,
                   PlanSizes(stream, model.config(), {.max_batch = max_batch}, 0));
  const auto n_tokens = static_cast<int64_t>(tokens.size());
  if (!options.streaming && n_tokens > sizes.plan.n_ctx_train) {
    return Fail(
        ErrorKind::kLimit, "the text",
        fmt::format("has {} tokens, the model's context {}", n_tokens, sizes.plan.n_ctx_train),
        "use --enable-streaming, or --max-tokens-read");
  }
  ASSIGN_OR_RETURN(Context context,
                   Context::Create(model, exec, sizes.kv, max_batch, sizes.kv_dtype));

  PerplexityReport report;
  report.start_size = sizes.plan.n_pinned;
  report.recent_size = sizes.plan.recent_size;
  report.tokens = n_tokens - 1;
  const auto n_vocab = static_cast<size_t>(model.config().n_vocab);
  const Stopwatch watch;
  double sum = 0;
  for (int64_t at = 0; at < report.tokens;) {
    if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
      return Fail(ErrorKind::kInterrupted, "perplexity",
                  fmt::format("was interrupted after {} of {} tokens", at, report.tokens));
    }
    const int64_t n = std::min<int64_t>(max_batch, report.tokens - at);
    RETURN_IF_ERROR(context.Step(tokens.subspan(static_cast<size_t>(at), static_cast<size_t>(n))));
    for (int64_t row = 0; row < n;) {
      const auto rows = static_cast<int32_t>(std::min<int64_t>(Model::kMaxLogitRows, n - row));
      ASSIGN_OR_RETURN(const auto logits, model.Logits(static_cast<int32_t>(row), rows));
      for (int32_t i = 0; i < rows; ++i) {
        const int64_t predicted = at + row + i + 1;
        const double nll =
            NegativeLogLikelihood(logits.subspan(static_cast<size_t>(i) * n_vocab, n_vocab),
                                  tokens[static_cast<size_t>(predicted)]);
        sum += nll;
        if (options.on_token) options.on_token(predicted, nll);
      }
      row += rows;
    }
    at += n;
    if (options.on_progress) {
      options.on_progress({.stage = "read", .done = at, .total = report.tokens});
    }
  }
  report.ms = watch.Ms();
  report.nll_mean = sum / static_cast<double>(report.tokens);
  report.ppl = std::exp(report.nll_mean);
  return report;
}

}  // namespace anabranch
