#include "cli/perplexity.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/option_types.h"
#include "cli/options.h"

namespace anabranch::cli {
namespace {

constexpr size_t kMaxTextBytes = size_t{4} << 30;

struct PerplexityFlags {
  ModelFlags model;
  std::optional<std::string> file;
  std::string data_root, nll_out;
  bool streaming = true, add_bos = false;
  int64_t start_size = 4, max_tokens_read = -1;
  std::optional<int64_t> recent_size;
  std::string kv_type = "f16";
};

Result<PerplexityReport> Measure(const PerplexityFlags& flags, CommandContext& context) {
  Result<Input> input = OpenInput(flags.file.value_or("-"), flags.data_root, context.cancel);
  if (!input) return tl::unexpected(input.error());
  Result<std::string> text = ReadAll(*input, kMaxTextBytes);
  if (!text) return tl::unexpected(text.error());
  const ProgressFn progress = [&context](const Progress& now) {
    context.terminal.ShowProgress(now);
  };
  Result<std::string> model = FindModel(flags.model.model, ModelKind::kLanguageModel, context.env);
  if (!model) return tl::unexpected(model.error());
  EngineOptions engine_options;
  engine_options.model = *model;
  engine_options.n_threads = flags.model.threads;
  engine_options.kernels = flags.model.kernels;
  engine_options.chat_template = flags.model.chat_template;
  engine_options.on_progress = progress;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(engine_options);
  if (!engine) return tl::unexpected(engine.error());

  std::ofstream nll_file;  // opened here: a model that is missing must not empty the file
  if (!flags.nll_out.empty()) {
    nll_file.open(flags.nll_out);
    if (!nll_file) return Fail(ErrorKind::kIo, flags.nll_out, std::strerror(errno));
  }
  PerplexityOptions options;
  options.streaming = flags.streaming;
  options.start_size = flags.start_size;
  options.recent_size = flags.recent_size;
  options.kv_type = ToKvType(flags.kv_type);
  options.max_tokens_read = flags.max_tokens_read;
  options.add_bos = flags.add_bos;
  options.on_progress = progress;
  options.cancel = context.cancel;
  if (nll_file.is_open()) {
    options.on_token = [&nll_file](int64_t, double nll) {
      nll_file << fmt::format("{:.9g}\n", nll);
    };
  }
  Result<PerplexityReport> report = (*engine)->Perplexity(*text, options);
  nll_file.flush();
  if (report && !nll_file) return Fail(ErrorKind::kIo, flags.nll_out, "could not be written");
  return report;
}

int Perplexity(const PerplexityFlags& flags, CommandContext& context) {
  if (!flags.file && context.stdin_is_terminal) {
    return ReportUsage(context, {.kind = ErrorKind::kInvalid,
                                 .what = "perplexity",
                                 .fault = "there is no text",
                                 .remedy = "give a file with --file-path, or a text on stdin"});
  }
  InstallInterrupt();
  Result<PerplexityReport> report = Measure(flags, context);
  if (!report) return ReportError(context, report.error());
  if (context.common.json) {
    context.terminal.Out(JsonLine({{"tokens", report->tokens},
                                   {"nll_mean", report->nll_mean},
                                   {"ppl", report->ppl},
                                   {"start_size", report->start_size},
                                   {"recent_size", report->recent_size},
                                   {"ms", report->ms}}));
  } else {
    context.terminal.Out(
        fmt::format("perplexity {:.4f} (mean nll {:.6f}) of {} tokens; window {} + "
                    "{} sinks; {:.1f} s\n",
                    report->ppl, report->nll_mean, WithThousands(report->tokens),
                    report->recent_size, report->start_size, report->ms / 1000));
  }
  return kExitOk;
}

}  // namespace

void AddPerplexityCommand(CommandLine& line) {
  const auto flags = std::make_shared<PerplexityFlags>();
  CLI::App& app =
      line.AddCommand("perplexity", "Perplexity of a text under a window",
                      [flags](CommandContext& context) { return Perplexity(*flags, context); });
  AddText(app, "-f,--file,--file-path", flags->file, "Text to read, -: stdin")->type_name("FILE");
  AddText(app, "--data-root", flags->data_root, "Where a FILE that does not exist is looked for")
      ->type_name("FOLDER");
  AddSwitch(app, "--enable-streaming", flags->streaming,
            "Sinks and a window; --enable-streaming=false: dense attention [true]");
  AddInteger(app, "--start-size", flags->start_size, 0, kMaxInt64,
             "Attention sinks, 23 kB each for SmolLM2-135M [4]");
  AddInteger(app, "--recent-size", flags->recent_size, 1, kMaxInt64,
             "Window, 23 kB a token for SmolLM2-135M [4096, or what fits]");
  AddKvTypeOption(app, flags->kv_type);
  AddInteger(app, "--max-tokens-read", flags->max_tokens_read, -1, kMaxInt64,
             "Read this many tokens at most, -1: all [-1]");
  AddText(app, "--nll-out", flags->nll_out, "Write each predicted token's nll, one a line")
      ->type_name("FILE");
  AddSwitch(app, "--add-bos", flags->add_bos, "Begin with the model's BOS token");
  AddModelOptions(app, flags->model);
}

}  // namespace anabranch::cli
