#include "cli/bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/bench_embedder.h"
#include "cli/bench_memory.h"
#include "cli/json_output.h"
#include "cli/option_types.h"
#include "cli/options.h"
#include "cli/spread.h"

namespace anabranch::cli {
namespace {

struct BenchFlags {
  ModelFlags model;
  int64_t start_size = 4, recent_size = 1024;
  std::string kv_type = "f16";
  int32_t repeats = 3, decode_tokens = 64;
  int64_t stream_tokens = 0;
  bool write_memory = false;
};

// Of each 100,000 tokens of a stream the 10th percentile of what 1,000 take: what a shared machine
// disturbs least. The last part may be shorter.
std::vector<double> StreamTimes(const std::vector<double>& ms) {
  constexpr size_t kPart = 100;
  std::vector<double> times;
  for (size_t i = 0; i < ms.size(); i += kPart) {
    const auto begin = ms.begin() + static_cast<ptrdiff_t>(i);
    std::vector<double> part(begin, begin + static_cast<ptrdiff_t>(std::min(kPart, ms.size() - i)));
    std::sort(part.begin(), part.end());
    times.push_back(Quantile(part, 0.1));
  }
  return times;
}

int Bench(const BenchFlags& flags, CommandContext& context) {
  Result<std::string> model = FindModel(flags.model.model, ModelKind::kLanguageModel, context.env);
  if (!model) return ReportError(context, model.error());
  const ProgressFn progress = [&context](const Progress& now) {
    context.terminal.ShowProgress(now);
  };
  EngineOptions engine_options;
  engine_options.model = *model;
  engine_options.n_threads = flags.model.threads;
  engine_options.kernels = flags.model.kernels;
  engine_options.chat_template = flags.model.chat_template;
  engine_options.on_progress = progress;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(engine_options);
  if (!engine) return ReportError(context, engine.error());
  BenchOptions options;
  options.start_size = flags.start_size;
  options.recent_size = flags.recent_size;
  options.kv_type = ToKvType(flags.kv_type);
  options.repeats = flags.repeats;
  options.decode_tokens = flags.decode_tokens;
  options.stream_tokens = flags.stream_tokens;
  if (flags.write_memory) {
    options.memory_folder = std::filesystem::temp_directory_path().string();
  }
  options.on_progress = progress;
  Result<BenchReport> report = (*engine)->Bench(options);
  if (!report) return ReportError(context, report.error());

  const ModelInfo& info = (*engine)->info();
  const MachineLimits& limits = report->limits;
  const Spread prefill = SpreadOf(report->prefill_tps);
  const Spread reading = SpreadOf(report->reading_tps);
  const Spread decode = SpreadOf(report->decode_ms);
  const std::vector<double> stream = StreamTimes(report->stream_ms);
  const double p99 = Quantile(report->token_ms, 0.99);
  const double p99_writing = Quantile(report->token_ms_writing, 0.99);
  if (context.common.json) {
    context.terminal.Out(JsonLine({{"window", report->window},
                                   {"prefill_tps", prefill.mean},
                                   {"prefill_tps_deviation", prefill.deviation},
                                   {"reading_tps", reading.mean},
                                   {"reading_tps_deviation", reading.deviation},
                                   {"decode_ms", decode.mean},
                                   {"decode_ms_deviation", decode.deviation},
                                   {"decode_p99_ms", p99},
                                   {"decode_p99_ms_writing", p99_writing},
                                   {"stream_ms", stream},
                                   {"prefill_floor_tps", report->prefill_floor_tps},
                                   {"reading_floor_tps", report->reading_floor_tps},
                                   {"decode_floor_ms", report->decode_floor_ms},
                                   {"token_bytes", report->token_bytes},
                                   {"read_bytes_per_s", limits.read_bytes_per_s},
                                   {"multiply_adds_per_s", limits.multiply_adds_per_s},
                                   {"float_multiply_adds_per_s", limits.float_multiply_adds_per_s},
                                   {"disturbed", report->disturbed},
                                   {"threads", info.n_threads},
                                   {"kernels", info.kernels},
                                   {"repeats", flags.repeats},
                                   {"start_size", flags.start_size},
                                   {"model", info.name}}));
  } else {
    const auto tokens_line = [](const char* name, const Spread& spread, double floor) {
      return fmt::format("{:<10}{:8.1f} +- {:5.1f} tokens/s {:4.0f} % of {:.0f}\n", name,
                         spread.mean, spread.deviation, 100 * spread.mean / floor, floor);
    };
    context.terminal.Out(fmt::format(
        "{}, window {}, {} threads, kernels {}, {} repeats\n"
        "{}{}decode    {:8.2f} +- {:5.2f} ms/token {:4.0f} % of what {:.2f} would be\n"
        "limits    {:.1f} GB/s read, {:.3f} and {:.3f} T multiply-adds/s of bytes and floats{}\n",
        info.name, report->window, info.n_threads, info.kernels, flags.repeats,
        tokens_line("prefill", prefill, report->prefill_floor_tps),
        tokens_line("reading", reading, report->reading_floor_tps), decode.mean, decode.deviation,
        100 * report->decode_floor_ms / decode.mean, report->decode_floor_ms,
        limits.read_bytes_per_s / 1e9, limits.multiply_adds_per_s / 1e12,
        limits.float_multiply_adds_per_s / 1e12,
        report->disturbed ? "; disturbed: they fell by more than a tenth" : ""));
    if (!stream.empty()) {
      context.terminal.Out(
          fmt::format("one stream of {} tokens: 1,000 take, at the 10th percentile of each "
                      "100,000, {:.1f} ms\n",
                      1000 * report->stream_ms.size(), fmt::join(stream, ", ")));
    }
    if (flags.write_memory) {
      context.terminal.Out(fmt::format(
          "decode's p99 {:.2f} ms, {:.2f} while a memory is written: {:.2f} times as much\n", p99,
          p99_writing, p99_writing / p99));
    }
  }
  return kExitOk;
}

}  // namespace

void AddBenchCommand(CommandLine& line) {
  const auto flags = std::make_shared<BenchFlags>();
  CLI::App& app =
      line.AddCommand("bench", "Prefill and decode speed with a full window",
                      [flags](CommandContext& context) { return Bench(*flags, context); });
  AddInteger(app, "--recent-size", flags->recent_size, 1, kMaxInt64,
             "Window, 23 kB a token for SmolLM2-135M [1024]");
  AddInteger(app, "--start-size", flags->start_size, 0, kMaxInt64, "Attention sinks [4]");
  AddKvTypeOption(app, flags->kv_type);
  AddInteger(app, "-r,--repeats", flags->repeats, 1, 10000, "Measurements [3]");
  AddInteger(app, "-n,--decode-tokens", flags->decode_tokens, 1, 1000000,
             "Tokens decoded by each [64]");
  AddInteger(app, "--stream-tokens", flags->stream_tokens, 0, kMaxInt64,
             "Read so many tokens as one stream as well [0]");
  AddSwitch(app, "--write-memory", flags->write_memory,
            "Decode also while a memory is written, as answers are");
  AddModelOptions(app, flags->model);
  app.require_subcommand(0, 1);
  AddBenchMemoryCommand(line, app);
  AddBenchEmbedderCommand(line, app);
}

}  // namespace anabranch::cli
