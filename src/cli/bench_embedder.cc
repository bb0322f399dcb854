#include "cli/bench_embedder.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "anabranch/bench.h"
#include "cli/json_output.h"
#include "cli/option_types.h"
#include "cli/options.h"
#include "cli/spread.h"

namespace anabranch::cli {
namespace {

struct BenchEmbedderFlags {
  std::string embedder = kDefaultEmbedder, kernels;
  int32_t threads = 0, repeats = 5;
};

int Bench(const BenchEmbedderFlags& flags, CommandContext& context) {
  Result<std::string> folder = FindModel(flags.embedder, ModelKind::kEmbedder, context.env);
  if (!folder) return ReportError(context, folder.error());
  const Result<EmbedderBenchReport> report = BenchEmbedder({.embedder = *folder,
                                                            .n_threads = flags.threads,
                                                            .kernels = flags.kernels,
                                                            .repeats = flags.repeats});
  if (!report) return ReportError(context, report.error());
  const Spread speed = SpreadOf(report->tokens_per_s);
  if (context.common.json) {
    context.terminal.Out(JsonLine({{"type", "bench_embedder"},
                                   {"tokens_per_s", speed.mean},
                                   {"tokens_per_s_deviation", speed.deviation},
                                   {"texts", report->texts},
                                   {"tokens", report->tokens},
                                   {"multiply_adds_per_token", report->multiply_adds_per_token},
                                   {"floor_tokens_per_s", report->floor_tokens_per_s},
                                   {"threads", report->n_threads},
                                   {"kernels", report->kernels},
                                   {"repeats", flags.repeats}}));
  } else {
    context.terminal.Out(fmt::format(
        "{} sentences of {} tokens, {} threads, kernels {}, {} repeats\n"
        "embedded {:8.1f} +- {:.1f} tokens/s\n"
        "floor    {:8.1f} tokens/s: {:.1f} million multiply-adds a token, as the largest matrix "
        "alone\n",
        report->texts, report->tokens / report->texts, report->n_threads, report->kernels,
        flags.repeats, speed.mean, speed.deviation, report->floor_tokens_per_s,
        report->multiply_adds_per_token / 1e6));
  }
  return kExitOk;
}

}  // namespace

void AddBenchEmbedderCommand(CommandLine& line, CLI::App& bench) {
  const auto flags = std::make_shared<BenchEmbedderFlags>();
  CLI::App& app =
      line.AddCommand(bench, "embedder", "Speed of the embedder",
                      [flags](CommandContext& context) { return Bench(*flags, context); });
  AddText(app, "--embedder", flags->embedder, "Folder of the embedder [all-MiniLM-L6-v2]");
  AddInteger(app, "-r,--repeats", flags->repeats, 1, 10000, "Measurements [5]");
  AddInteger(app, "-t,--threads", flags->threads, 1, 1024, "Threads [all CPUs]");
  AddText(app, "--kernels", flags->kernels, "ref, avx2 or avx512 [the best]");
}

}  // namespace anabranch::cli
