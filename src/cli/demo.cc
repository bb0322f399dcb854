#include "cli/demo.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "cli/dialogue.h"
#include "cli/feed.h"
#include "cli/interrupt.h"
#include "cli/opening.h"
#include "cli/option_types.h"
#include "cli/process_memory.h"

namespace anabranch::cli {
namespace {

constexpr CommandDefaults kDemoDefaults{.streaming = true, .recall = RecallMode::kEvicted};

struct DemoOptions {
  DialogueFlags dialogue;
  InputFlags input;
  std::string expect;
  std::optional<std::string> small_talk;
};

// Reads turns, watches for the needle, and asks the last one.
class Demonstration {
 public:
  Demonstration(const DemoOptions& options, Dialogue& dialogue, CommandContext& context)
      : options_(options), dialogue_(dialogue), context_(context) {
    report_.expect = options.expect;
    report_.case_name = *options.input.file;
    report_.small_talk = options.small_talk;
  }

  Result<void> Read(const Turn& turn) {
    const auto begin = std::chrono::steady_clock::now();
    const StreamPos before = dialogue_.stream().stats().next;
    Result<void> read = dialogue_.Read(turn);
    report_.read_ms +=
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    const size_t at = turn.text.find(options_.expect);
    if (read && at != std::string::npos) {
      const StreamPos needle = before + CountTokens(turn.text.substr(0, at));
      report_.needle = StreamSpan{needle, needle + CountTokens(options_.expect)};
    }
    return read;
  }

  Result<void> Ask(const Turn& turn) {
    report_.question = turn.text;
    report_.plan = dialogue_.stream().plan();
    report_.read = dialogue_.stream().stats();
    context_.terminal.Note(fmt::format("read {} tokens once, {:.2f} ms per token",
                                       WithThousands(report_.read.tokens),
                                       report_.read_ms / static_cast<double>(report_.read.tokens)));
    for (const auto& [name, mode] : {std::pair{"streaming", RecallMode::kNever},
                                     {"evicted", RecallMode::kEvicted},
                                     {"always", RecallMode::kAlways}}) {
      Result<ArmResult> arm = AskFork(name, mode, turn.text);
      if (!arm) return tl::unexpected(arm.error());
      report_.arms.push_back(*std::move(arm));
    }
    if (!options_.small_talk) return {};
    Result<ArmResult> arm = AskFork("small-talk", RecallMode::kEvicted, *options_.small_talk);
    if (!arm) return tl::unexpected(arm.error());
    report_.small_talk_arm = *std::move(arm);
    return {};
  }

  const DemoReport& report() const { return report_; }

 private:
  int64_t CountTokens(std::string_view text) const {
    return static_cast<int64_t>(dialogue_.engine().Tokenize(text).size());
  }

  Result<ArmResult> AskFork(const char* name, RecallMode mode, const std::string& text) {
    context_.terminal.Note(fmt::format("asking a fork of the stream: {}", name));
    Result<std::unique_ptr<Stream>> fork = dialogue_.stream().Fork();
    if (!fork) return tl::unexpected(fork.error());
    Result<void> set = (*fork)->SetRecall(mode);
    if (!set) return tl::unexpected(set.error());
    AnswerOptions options;
    options.sampling = ToSamplerOptions(options_.dialogue.sampling, kDemoDefaults);
    options.max_tokens = options_.dialogue.sampling.max_tokens;
    options.cancel = context_.cancel;
    Result<Answer> answer = (*fork)->Answer(text, options);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->stop == StopReason::kInterrupt) {
      return Fail(ErrorKind::kInterrupted, "", "the answer was interrupted");
    }
    ArmResult arm{.arm = name,
                  .answer = *std::move(answer),
                  .stats = (*fork)->stats(),
                  .peak_rss_bytes = PeakResidentBytes()};
    arm.found = HoldsText(arm.answer.text, options_.expect);
    arm.needle_in_context = NeedleInContext(arm);
    return arm;
  }

  // In the pinned part or the window as the answer began, or recalled.
  bool NeedleInContext(const ArmResult& arm) const {
    for (const Passage& passage : arm.answer.recall.passages) {
      if (HoldsText(passage.text, options_.expect)) return true;
    }
    if (!report_.needle) return false;
    const StreamPos window_begin = arm.answer.window.begin - arm.answer.answer_tokens;
    return report_.needle->begin >= window_begin || report_.needle->end <= arm.stats.pinned_end;
  }

  const DemoOptions& options_;
  Dialogue& dialogue_;
  CommandContext& context_;
  DemoReport report_;
};

int Demo(const DemoOptions& options, CommandContext& context) {
  if (!options.input.file || options.expect.empty()) {
    return ReportUsage(context, {.kind = ErrorKind::kInvalid,
                                 .what = "demo",
                                 .fault = "needs a conversation and what its answer must hold",
                                 .remedy = "give -f FILE and --expect TEXT"});
  }
  Result<StreamOptions> valid =
      ToStreamOptions(options.dialogue.sizes, options.dialogue.recall, kDemoDefaults, 0);
  if (!valid) return ReportUsage(context, valid.error());
  InstallInterrupt();
  Result<Opening> opening = OpenOpening(options.input, options.input.file, context);
  if (!opening) return ReportError(context, opening.error());
  Result<std::unique_ptr<Dialogue>> dialogue =
      Dialogue::Open(options.dialogue, kDemoDefaults, opening->system, context);
  if (!dialogue) return ReportError(context, dialogue.error());

  Demonstration demonstration(options, **dialogue, context);
  const TurnSink sink{.read = [&](const Turn& turn) { return demonstration.Read(turn); },
                      .answer = [&](const Turn& turn) { return demonstration.Ask(turn); }};
  Result<void> done =
      FeedTurns(std::move(opening->first), *opening->reader, AnswerWhich::kLast, sink);
  if (done && demonstration.report().arms.empty()) {
    done = Fail(ErrorKind::kInvalid, *options.input.file, "has no user turn to ask",
                "end the conversation with a question");
  }
  if (done) {
    const DemoReport& report = demonstration.report();
    context.terminal.Out(context.common.json ? DemoJsonLines(report)
                                             : DescribeDemo(report, kDemoColumns));
  }
  return (*dialogue)->Finish(done);
}

}  // namespace

void AddDemoCommand(CommandLine& line) {
  const auto options = std::make_shared<DemoOptions>();
  options->dialogue.sampling.max_tokens = 48;
  CLI::App& app = line.AddCommand(
      "demo", "Ask a conversation's last question with and without recall, of forks of one stream",
      [options](CommandContext& context) { return Demo(*options, context); });
  AddInputOptions(app, options->input);
  AddText(app, "--expect", options->expect, "Text that the answer must hold");
  AddText(app, "--small-talk", options->small_talk, "A turn that should recall nothing");
  AddDialogueOptions(line, app, options->dialogue);
}

}  // namespace anabranch::cli
