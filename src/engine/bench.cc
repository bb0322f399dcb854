#include "engine/bench.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/wall_clock.h"
#include "engine/machine_limits.h"
#include "memory/memory.h"
#include "memory/scratch_file.h"
#include "sampling/sampler.h"
#include "stream/context.h"
#include "stream/journal_writer.h"
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

// A memory of one stream that goes with the benchmark.
class ScratchMemory {
 public:
  static Result<std::unique_ptr<ScratchMemory>> Create(const std::string& folder) {
    std::unique_ptr<ScratchMemory> scratch(new ScratchMemory(folder));
    ASSIGN_OR_RETURN(scratch->memory_, OpenMemory(scratch->file_.path(), {}));
    ASSIGN_OR_RETURN(scratch->stream_, scratch->memory_->OpenStream("bench", "bench"));
    scratch->writer_.emplace(scratch->stream_.get());
    return scratch;
  }

  JournalWriter& writer() { return *writer_; }
  // A generated token of one letter.
  void Say(TokenId token) {
    const uint32_t end = 1;
    writer_->Add(0, Role::kAssistant, RecordKind::kText, NowMs(), next_, {&token, 1}, "a",
                 {&end, 1});
    ++next_;
  }

 private:
  explicit ScratchMemory(const std::string& folder) : file_(folder) {}

  ScratchFile file_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<StreamMemory> stream_;
  std::optional<JournalWriter> writer_;
  StreamPos next_;
};

// Decodes n tokens greedily behind `token`, with the times of each; `scratch`: where they are
// remembered, or null.
Result<std::vector<double>> Decode(Context* context, TokenId token, int32_t n, int32_t n_vocab,
                                   ScratchMemory* scratch) {
  Sampler greedy({.temperature = 0}, n_vocab);
  RETURN_IF_ERROR(context->Step({&token, 1}));
  std::vector<double> ms;
  for (int32_t i = 0; i < n; ++i) {
    const Stopwatch watch;
    ASSIGN_OR_RETURN(const auto logits, context->Logits());
    token = greedy.Sample(logits, {});
    if (scratch != nullptr) scratch->writer().SyncBeside();
    RETURN_IF_ERROR(context->Step({&token, 1}));
    if (scratch != nullptr) scratch->Say(token);
    ms.push_back(watch.Ms());
  }
  return ms;
}

// Times of each 1,000 of n tokens that are read as one stream.
Result<std::vector<double>> ReadStream(Context* context, int64_t n, int32_t n_vocab,
                                       const ProgressFn& on_progress) {
  constexpr int64_t kStep = 1000;
  context->Clear(StreamPos(0), context->kv().sizes().n_pinned);
  const std::vector<TokenId> tokens = SomeTokens(kStep, n_vocab);
  std::vector<double> ms;
  for (int64_t read = 0; read + kStep <= n; read += kStep) {
    const Stopwatch watch;
    RETURN_IF_ERROR(ReadAll(context, tokens));
    ms.push_back(watch.Ms());
    if (on_progress) on_progress({.stage = "read", .done = read + kStep, .total = n});
  }
  return ms;
}

void Append(const std::vector<double>& from, std::vector<double>* to) {
  to->insert(to->end(), from.begin(), from.end());
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
  stream.kv_type = options.kv_type;
  ASSIGN_OR_RETURN(const StreamSizes sizes,
                   PlanSizes(stream, model.config(), {.max_batch = max_batch}, 0));
  ASSIGN_OR_RETURN(Context context,
                   Context::Create(model, exec, sizes.kv, max_batch, sizes.kv_dtype));
  const int32_t n_vocab = model.config().n_vocab;
  const std::vector<TokenId> window = SomeTokens(options.recent_size, n_vocab);
  const std::vector<TokenId> rest = SomeTokens(sizes.plan.n_pinned, n_vocab);
  std::unique_ptr<ScratchMemory> scratch;
  if (!options.memory_folder.empty()) {
    ASSIGN_OR_RETURN(scratch, ScratchMemory::Create(options.memory_folder));
  }

  // Pages of the cache are touched for the first time before anything is measured.
  RETURN_IF_ERROR(ReadAll(&context, window));
  BenchReport report;
  report.window = options.recent_size;
  const int64_t n_keys = options.start_size + options.recent_size;
  report.token_bytes = BytesOfToken(model, n_keys, sizes.kv_dtype);
  ASSIGN_OR_RETURN(LimitsMeter limits, LimitsMeter::Create(exec, report.token_bytes));
  for (int32_t repeat = 0; repeat < options.repeats; ++repeat) {
    limits.Measure();
    context.Clear(StreamPos(0), context.kv().sizes().n_pinned);
    const auto tokens_per_s = [&](const Stopwatch& watch) {
      return static_cast<double>(window.size()) * 1000 / watch.Ms();
    };
    const Stopwatch prefill;
    RETURN_IF_ERROR(ReadAll(&context, window));
    report.prefill_tps.push_back(tokens_per_s(prefill));
    RETURN_IF_ERROR(ReadAll(&context, rest));
    const Stopwatch reading;
    RETURN_IF_ERROR(ReadAll(&context, window));
    report.reading_tps.push_back(tokens_per_s(reading));

    ASSIGN_OR_RETURN(const std::vector<double> alone,
                     Decode(&context, window.back(), options.decode_tokens, n_vocab, nullptr));
    report.decode_ms.push_back(std::accumulate(alone.begin(), alone.end(), 0.0) /
                               options.decode_tokens);
    Append(alone, &report.token_ms);
    if (scratch) {
      ASSIGN_OR_RETURN(
          const std::vector<double> writing,
          Decode(&context, window.back(), options.decode_tokens, n_vocab, scratch.get()));
      Append(writing, &report.token_ms_writing);
    }
    if (options.on_progress) {
      options.on_progress({.stage = "bench", .done = repeat + 1, .total = options.repeats});
    }
  }
  ASSIGN_OR_RETURN(report.stream_ms,
                   ReadStream(&context, options.stream_tokens, n_vocab, options.on_progress));
  limits.Measure();
  report.limits = limits.best();
  report.disturbed = limits.disturbed();
  report.decode_floor_ms =
      1000 * static_cast<double>(report.token_bytes) / report.limits.read_bytes_per_s;
  const auto full = static_cast<double>(n_keys);
  report.prefill_floor_tps = 1 / ArithmeticFloor(model.config(), full / 2, report.limits);
  report.reading_floor_tps = 1 / ArithmeticFloor(model.config(), full, report.limits);
  std::sort(report.token_ms.begin(), report.token_ms.end());
  std::sort(report.token_ms_writing.begin(), report.token_ms_writing.end());
  if (scratch && !scratch->writer().fault().empty()) {
    return Fail(ErrorKind::kIo, "the memory of the benchmark", scratch->writer().fault(),
                "name another folder");
  }
  return report;
}

}  // namespace anabranch
