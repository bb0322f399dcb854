#include "cli/eval.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "anabranch/evaluation.h"
#include "cli/eval_cases.h"
#include "cli/eval_summary.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/option_types.h"
#include "cli/options.h"

namespace anabranch::cli {
namespace {

struct EvalFlags {
  ModelFlags model;
  std::string embedder = kDefaultEmbedder, arms = "default", budgets = "100,200,400,800", out;
  std::vector<std::string> files;
  bool list_arms = false;
};

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

Result<std::vector<int32_t>> Budgets(const std::string& text) {
  std::vector<int32_t> budgets;
  for (const std::string& part : SplitAtCommas(text)) {
    Result<int64_t> budget = ParseInteger(part, 1, 1 << 20);
    if (!budget) return tl::unexpected(budget.error());
    budgets.push_back(static_cast<int32_t>(*budget));
  }
  return budgets;
}

int ListArms(CommandContext& context) {
  for (const RecallArmInfo& arm : RecallArms()) {
    context.terminal.Out(context.common.json
                             ? JsonLine({{"type", "arm"}, {"arm", arm.name}, {"what", arm.what}})
                             : fmt::format("{:<22} {}\n", arm.name, arm.what));
  }
  return kExitOk;
}

Result<void> Evaluate(const EvalFlags& flags, CommandContext& context, EvalCases* cases) {
  RecallEvaluationOptions options;
  Result<std::vector<int32_t>> budgets = Budgets(flags.budgets);
  if (!budgets) return tl::unexpected(budgets.error());
  options.budgets = *budgets;
  Result<std::string> model = FindModel(flags.model.model, ModelKind::kLanguageModel, context.env);
  if (!model) return tl::unexpected(model.error());
  Result<std::string> embedder = FindModel(flags.embedder, ModelKind::kEmbedder, context.env);
  if (!embedder) return tl::unexpected(embedder.error());
  options.tokenizer = *model;
  options.embedder = *embedder;
  options.conversations = flags.files;
  options.arms = SplitAtCommas(flags.arms);
  if (flags.arms == "all") {
    options.arms.clear();
    for (const RecallArmInfo& arm : RecallArms()) options.arms.push_back(arm.name);
  }
  options.n_threads = flags.model.threads;
  options.kernels = flags.model.kernels;
  options.is_done = [cases](const RecallCase& named) { return cases->Contains(named); };
  options.on_case = [cases](const RecallCase& ran) { return cases->Add(ran); };
  options.on_progress = [&context](const Progress& now) { context.terminal.ShowProgress(now); };
  options.cancel = context.cancel;
  return EvaluateRecall(options);
}

OrderedJson RowJson(const SummaryRow& row) {
  return {{"type", "recall"},       {"arm", row.arm},           {"budget", row.budget},
          {"measure", row.measure}, {"n", row.share.n},         {"share", row.share.value()},
          {"low", row.share.low()}, {"high", row.share.high()}, {"passages", row.passages},
          {"tokens", row.tokens},   {"ms_p50", row.ms_p50},     {"ms_p99", row.ms_p99}};
}

std::string Table(std::span<const SummaryRow> rows) {
  std::string text =
      fmt::format("{:<22}{:>7}  {:<24}{:>6}{:>8}  {:<15}{:>9}{:>8}{:>9}{:>9}\n", "arm", "budget",
                  "measure", "n", "share", "95 %", "passages", "tokens", "ms p50", "ms p99");
  for (const SummaryRow& row : rows) {
    text += fmt::format(
        "{:<22}{:>7}  {:<24}{:>6}{:>7.1f}%  {:>5.1f} - {:<5.1f}%{:>10.1f}{:>8.0f}"
        "{:>9.1f}{:>9.1f}\n",
        row.arm, row.budget, row.measure, row.share.n, 100 * row.share.value(),
        100 * row.share.low(), 100 * row.share.high(), row.passages, row.tokens, row.ms_p50,
        row.ms_p99);
  }
  return text;
}

int EvalRecall(const EvalFlags& flags, CommandContext& context) {
  if (flags.list_arms) return ListArms(context);
  if (flags.files.empty()) {
    return ReportUsage(context, {.kind = ErrorKind::kInvalid,
                                 .what = "eval recall",
                                 .fault = "there is no conversation",
                                 .remedy = "make one with eval/make_conversations.py"});
  }
  InstallInterrupt();
  Result<EvalCases> cases = EvalCases::Open(flags.out);
  if (!cases) return ReportError(context, cases.error());
  const Result<void> done = Evaluate(flags, context, &*cases);
  if (!done) return ReportError(context, done.error());
  const std::vector<SummaryRow> rows = Summarise(cases->cases());
  if (context.common.json) {
    for (const SummaryRow& row : rows) context.terminal.Out(JsonLine(RowJson(row)));
  } else {
    context.terminal.Out(Table(rows));
  }
  return kExitOk;
}

}  // namespace

void AddEvalCommand(CommandLine& line) {
  const auto flags = std::make_shared<EvalFlags>();
  CLI::App& group = line.AddGroup("eval", "How well the parts do their work");
  CLI::App& app = line.AddCommand(
      group, "recall", "Whether recall finds what long conversations said (docs/recall.md)",
      [flags](CommandContext& context) { return EvalRecall(*flags, context); });
  AddWords(app, "FILE", flags->files, "Conversations of eval/make_conversations.py");
  AddText(app, "--arms", flags->arms, "Ways to recall, comma between them, or all [default]")
      ->type_name("NAMES");
  AddSwitch(app, "--list-arms", flags->list_arms, "Name the ways to recall");
  AddText(app, "--budgets", flags->budgets,
          "Tokens of all passages, comma between them [100,200,400,800]")
      ->type_name("NUMBERS");
  AddText(app, "--out", flags->out,
          "Write each case to FILE, JSON Lines; cases that are in it are not run again")
      ->type_name("FILE");
  AddText(app, "--embedder", flags->embedder, "Folder of the embedder [all-MiniLM-L6-v2]")
      ->type_name("PATH");
  AddModelOptions(app, flags->model);
}

}  // namespace anabranch::cli
