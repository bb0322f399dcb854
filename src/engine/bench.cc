#include "engine/bench.h"

#include <algorithm>
#include <vector>

#include "base/wall_clock.h"
#include "sampling/sampler.h"
#include "stream/context.h"
#include "stream/sizes.h"

namespace anabranch {
namespace {

// Any tokens do: the work does not depend on them. A step that is prime to most vocabularies keeps
// the rows of the embedding from being in cache.
std::vector<TokenId> SomeTokens(int64_t n, int32_t n_vocab) {
  std::vector<TokenId> tokens;
  for (int64_t i = 0; i < n; ++i) tokens.emplace_back(static_cast<int32_t>(i * 7919 % n_vocab));
  return tokens;
}

Result<void> ReadAll(Context* context, std::span<const TokenId> tokens) {
  while (!tokens.empty()) {
    const size_t n = std::min(tokens.size(), static_cast<size_t>(context->max_rows()));
    RETURN_IF_ERROR(context->Step(tokens.first(n)));
    tokens = tokens.subspan(n);
  }
  return {};
}

}  // namespace

Result<BenchReport> MeasureSpeed(Model& model, CpuExec& exec, int32_t max_batch,
                                 const BenchOptions& options) {
  if (options.repeats < 1 || options.decode_tokens < 1) {
    return Fail(ErrorKind::kInvalid, "the benchmark", "needs at least one repeat of one token",
                "give larger numbers");
  }
  StreamOptions stream;
  stream.start_size = options.start_size;
  stream.recent_size = options.recent_size;
  ASSIGN_OR_RETURN(const StreamSizes sizes,
                   PlanSizes(stream, model.config(), {.max_batch = max_batch}, 0));
  ASSIGN_OR_RETURN(Context context, Context::Create(model, exec, sizes.kv, max_batch));
  const int32_t n_vocab = model.config().n_vocab;
  const std::vector<TokenId> window = SomeTokens(options.recent_size, n_vocab);
  const std::vector<TokenId> rest = SomeTokens(sizes.plan.n_pinned, n_vocab);
  Sampler greedy({.temperature = 0}, n_vocab);

  // Pages of the cache are touched for the first time before anything is measured.
  RETURN_IF_ERROR(ReadAll(&context, window));
  BenchReport report;
  report.window = options.recent_size;
  for (int32_t repeat = 0; repeat < options.repeats; ++repeat) {
    context.Clear(StreamPos(0), context.kv().sizes().n_pinned);
    const Stopwatch prefill;
    RETURN_IF_ERROR(ReadAll(&context, window));
    report.prefill_tps.push_back(static_cast<double>(window.size()) * 1000 / prefill.Ms());
    RETURN_IF_ERROR(ReadAll(&context, rest));

    TokenId token = window.back();
    RETURN_IF_ERROR(context.Step({&token, 1}));
    const Stopwatch decode;
    for (int32_t i = 0; i < options.decode_tokens; ++i) {
      ASSIGN_OR_RETURN(const auto logits, context.Logits());
      token = greedy.Sample(logits, {});
      RETURN_IF_ERROR(context.Step({&token, 1}));
    }
    report.decode_ms.push_back(decode.Ms() / options.decode_tokens);
    if (options.on_progress) {
      options.on_progress({.stage = "bench", .done = repeat + 1, .total = options.repeats});
    }
  }
  return report;
}

}  // namespace anabranch
