#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/bench.h"
#include "base/wall_clock.h"
#include "engine/embedder_folder.h"
#include "model/device_memory.h"
#include "model/weights.h"

namespace anabranch {
namespace {

constexpr int32_t kTexts = 512, kTextsOfACall = 64;

std::vector<std::string> Sentences() {
  std::vector<std::string> texts;
  for (int32_t i = 0; i < kTexts; ++i) {
    texts.push_back("The clerk of room " + std::to_string(i) +
                    " wrote a short note about the weather and the old stone bridge.");
  }
  return texts;
}

double MultiplyAddsPerToken(const EmbedderConfig& config) {
  const double width = config.width, ff = config.n_ff;
  return config.n_layers * (4 * width * width + 2 * width * ff);
}

// Multiply-adds per second of the feed-forward network's first matrix over a full batch: the best
// of some runs.
Result<double> MatrixRate(const EmbedderConfig& config, const KernelTable& table,
                          ThreadPool& pool) {
  ASSIGN_OR_RETURN(const auto exec, CpuExec::Create(table, pool, EmbedderLimits(config)));
  DeviceMemory memory(*exec);
  constexpr int32_t kRows = Embedder::kMaxBatchTokens;
  const std::string what = "the benchmark";
  const std::vector<float> ones(
      static_cast<size_t>(config.n_ff) * static_cast<size_t>(config.width), 1.0f);
  ASSIGN_OR_RETURN(const Weight weight,
                   PackWeight(memory, std::as_bytes(std::span(ones)), GgufType::kF32, config.n_ff,
                              config.width, what, FloatWeights::kInt16));
  ASSIGN_OR_RETURN(const Mat x, memory.AllocMat(kRows, config.width, what));
  ASSIGN_OR_RETURN(const Mat out, memory.AllocMat(kRows, config.n_ff, what));
  const std::span<const float> rows =
      std::span<const float>(ones).first(static_cast<size_t>(config.width));
  for (int32_t r = 0; r < kRows; ++r) {
    table.upload(exec->exec(), RowsOf(x, r, 1).data, BytesOf(rows));
  }
  constexpr int kRuns = 20;
  double best_ms = 0;
  for (int run = 0; run < kRuns; ++run) {
    const Stopwatch watch;
    table.matmul(exec->exec(), x, {&weight, 1}, {nullptr, 0}, /*add=*/false, {&out, 1});
    RETURN_IF_ERROR(Sync(*exec));
    best_ms = run == 0 ? watch.Ms() : std::min(best_ms, watch.Ms());
  }
  return static_cast<double>(kRows) * config.n_ff * config.width * 1000 / best_ms;
}

}  // namespace

Result<EmbedderBenchReport> BenchEmbedder(const EmbedderBenchOptions& options) {
  if (options.repeats < 1) {
    return Fail(ErrorKind::kInvalid, "the benchmark", "needs at least one repeat",
                "give a larger number");
  }
  ASSIGN_OR_RETURN(const KernelTable* table, SelectKernels(options.kernels));
  ThreadPool pool(options.n_threads > 0 ? options.n_threads : ThreadPool::AvailableCpus());
  ASSIGN_OR_RETURN(const auto folder, EmbedderFolder::Open(options.embedder, *table, pool));
  const EmbedderHandle embedder = folder->Handle();
  const std::vector<std::string> sentences = Sentences();
  const std::vector<std::string_view> texts(sentences.begin(), sentences.end());
  EmbedderBenchReport report;
  report.kernels = table->name;
  report.n_threads = pool.size();
  report.texts = kTexts;
  for (const std::string_view text : texts) report.tokens += embedder.count_pieces(text) + 2;
  std::vector<float> vectors(static_cast<size_t>(kTextsOfACall) *
                             static_cast<size_t>(embedder.width));
  // The first one touches all pages, and does not count.
  for (int32_t repeat = -1; repeat < options.repeats; ++repeat) {
    const Stopwatch watch;
    for (size_t i = 0; i < texts.size(); i += kTextsOfACall) {
      RETURN_IF_ERROR(embedder.embed(std::span(texts).subspan(i, kTextsOfACall), vectors));
    }
    if (repeat >= 0) {
      report.tokens_per_s.push_back(static_cast<double>(report.tokens) * 1000 / watch.Ms());
    }
  }
  report.multiply_adds_per_token = MultiplyAddsPerToken(folder->config());
  ASSIGN_OR_RETURN(const double rate, MatrixRate(folder->config(), *table, pool));
  report.floor_tokens_per_s = rate / report.multiply_adds_per_token;
  return report;
}

}  // namespace anabranch
