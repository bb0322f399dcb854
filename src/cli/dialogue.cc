#include "cli/dialogue.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/memory_place.h"
#include "cli/process_memory.h"
#include "cli/time_format.h"

namespace anabranch::cli {
namespace {

std::string DescribePassage(const Passage& passage, const std::string& stream, StreamPos now) {
  const std::string where =
      passage.stream == stream
          ? fmt::format("{} tokens ago", WithThousands(now - passage.span.begin))
          : fmt::format("in stream '{}'", passage.stream);
  return fmt::format("\n  [{}, {})  {}, {}, {}: cosine {:.3f}, words {:.2f}\n    {}",
                     passage.span.begin.value(), passage.span.end.value(), SaidBy(passage), where,
                     FormatTime(passage.time_ms), passage.score, passage.lexical, passage.text);
}

// Error kIo: memory does not have all that was said.
Result<void> CheckKept(const StreamStats& stats) {
  if (!stats.memory_fault.empty() && stats.journalled < stats.next) {
    return Fail(ErrorKind::kIo, "memory",
                fmt::format("what was said from position {} on is not in it: {}",
                            stats.journalled.value(), stats.memory_fault));
  }
  if (stats.lost == 0) return {};
  return Fail(ErrorKind::kIo, "memory",
              fmt::format("{} tokens could not be remembered and cannot be recalled",
                          WithThousands(stats.lost)));
}

}  // namespace

void AddDialogueOptions(CommandLine& line, CLI::App& app, DialogueFlags& flags) {
  AddModelOptions(app, flags.model);
  AddSizeOptions(line, app, flags.sizes);
  AddRecallOptions(line, app, flags.recall);
  AddEmbedderOptions(app, flags.embedder);
  AddSamplingOptions(app, flags.sampling);
}

std::string DescribeRecall(const RecallResult& recall, const std::string& stream, StreamPos now) {
  std::string text =
      fmt::format("recall: {}, {:.1f} ms; best score {:.3f}, threshold {:.3f}",
                  DecisionName(recall.decision), recall.ms, recall.best_score, recall.threshold);
  if (!recall.fault.empty()) text += "\n  fault: " + recall.fault;
  for (const std::string& query : recall.queries) text += "\n  query: " + query;
  for (const Passage& passage : recall.passages) text += DescribePassage(passage, stream, now);
  if (!recall.rejected.empty()) text += "\n  rejected:";
  for (const Passage& passage : recall.rejected) text += DescribePassage(passage, stream, now);
  return text;
}

// The files that are needed. Recall that nobody asked for gives way to an embedder that is missing.
Result<EngineOptions> Dialogue::FindFiles(const CommandDefaults& defaults, StreamOptions* stream) {
  EngineOptions options;
  Result<std::string> model =
      FindModel(flags_.model.model, ModelKind::kLanguageModel, context_.env);
  if (!model) return tl::unexpected(model.error());
  options.model = *model;
  options.n_threads = flags_.model.threads;
  options.kernels = flags_.model.kernels;
  options.chat_template = flags_.model.chat_template;
  options.recall_timeout_ms = std::llround(flags_.recall.timeout_seconds * 1000);
  Result<void> placed = PlaceMemory(flags_.embedder.store, context_.env, &options);
  if (!placed) return tl::unexpected(placed.error());
  options.on_progress = [this](const Progress& progress) { ShowProgress(progress); };
  if (stream->recall == RecallMode::kNever) {
    if (!options.memory.empty()) {
      context_.terminal.Note("--memory is not used: with --recall never nothing is remembered");
    }
    return options;
  }
  Result<std::string> embedder = FindModel(flags_.embedder.embedder.value_or(kDefaultEmbedder),
                                           ModelKind::kEmbedder, context_.env);
  const bool asked_for = flags_.embedder.embedder.has_value() || !flags_.recall.recall.empty() ||
                         defaults.recall == RecallMode::kNever || flags_.recall.retriever ||
                         flags_.recall.always_retriever;
  if (!embedder && asked_for) return tl::unexpected(embedder.error());
  if (!embedder) {
    context_.terminal.Note("recall is off: " + embedder.error().Message());
    stream->recall = RecallMode::kNever;
    return options;
  }
  options.embedder = *embedder;
  return options;
}

Result<std::unique_ptr<Dialogue>> Dialogue::Open(const DialogueFlags& flags,
                                                 const CommandDefaults& defaults,
                                                 const std::string& system,
                                                 CommandContext& context) {
  std::unique_ptr<Dialogue> dialogue(new Dialogue(flags, context));
  Dialogue& self = *dialogue;
  Result<StreamOptions> options = ToStreamOptions(flags.sizes, flags.recall, defaults, 0);
  if (!options) return tl::unexpected(options.error());
  if (!options->streaming && options->recent_size) {
    context.terminal.Note(fmt::format("{} is not used without --enable-streaming",
                                      flags.sizes.ctx_size ? "--ctx-size" : "--recent-size"));
  }
  Result<EngineOptions> engine_options = self.FindFiles(defaults, &*options);
  if (!engine_options) return tl::unexpected(engine_options.error());
  if (!flags.recall.from.empty() && engine_options->memory.empty()) {
    return Fail(ErrorKind::kInvalid, "--recall-from", "needs the memory that its streams are in",
                "name it with --memory");
  }
  Result<std::unique_ptr<Engine>> engine = Engine::Open(*engine_options);
  if (!engine) return tl::unexpected(engine.error());
  self.engine_ = *std::move(engine);

  const auto system_tokens = static_cast<int64_t>(self.engine_->Tokenize(system).size());
  const RecallMode recall = options->recall;
  options = ToStreamOptions(flags.sizes, flags.recall, defaults, system_tokens);
  if (!options) return tl::unexpected(options.error());
  options->recall = recall;
  options->name = flags.embedder.stream;
  options->system = system;
  options->on_progress = [&self](const Progress& progress) { self.ShowProgress(progress); };
  // A memory of this run alone keeps nothing that could be relied on.
  if (context.common.json && !flags.embedder.store.memory.empty()) {
    options->on_remembered = [&self](StreamPos end, StreamPos indexed) {
      self.context_.terminal.Out(
          JsonLine(RememberedJson(self.flags_.embedder.stream, end, indexed)));
    };
  }
  Result<std::unique_ptr<Stream>> stream = self.engine_->OpenStream(*options);
  if (!stream) return tl::unexpected(stream.error());
  self.stream_ = *std::move(stream);
  if (const std::string& notice = self.stream_->plan().notice; !notice.empty()) {
    context.terminal.Note(notice);
  }
  if (const StreamStart& start = self.stream_->start(); start.turns > 0) {
    if (!start.notice.empty()) context.terminal.Note(start.notice);
    context.terminal.Detail(fmt::format("stream '{}' goes on at {} with {} tokens read again",
                                        options->name, start.end.value(), start.reread));
  }

  self.sampling_ = ToSamplerOptions(flags.sampling, defaults);
  if (self.sampling_.temperature > 0) {
    context.terminal.Note(fmt::format("seed {}", self.sampling_.seed));
  }
  const ModelInfo& info = self.engine_->info();
  context.terminal.Detail(
      fmt::format("{}: {}, {} threads, kernels {}, loaded in {:.0f} ms; window "
                  "{} + {} pinned, {} of keys and values",
                  info.path, info.architecture, info.n_threads, info.kernels, info.load_ms,
                  self.stream_->plan().recent_size, self.stream_->plan().n_pinned,
                  FormatBytes(self.stream_->plan().kv_bytes)));
  return dialogue;
}

Result<void> Dialogue::Read(const Turn& turn) {
  Result<void> read = stream_->Read(turn.role, turn.text, turn.time_ms, context_.cancel);
  context_.terminal.ClearProgress();
  return read;
}

Result<Answer> Dialogue::AnswerTurn(const Turn& turn) {
  Terminal& terminal = context_.terminal;
  AnswerOptions options;
  options.sampling = sampling_;
  // Answers differ in what they draw, and are the same in every run.
  options.sampling.seed += static_cast<uint64_t>(answers_);
  options.max_tokens = flags_.sampling.max_tokens;
  options.time_ms = turn.time_ms;
  options.cancel = context_.cancel;
  if (!context_.common.json) {
    options.on_text = [&terminal](std::string_view text) { terminal.Out(text); };
  }
  if (flags_.recall.debug) {
    options.on_recall = [this](const RecallResult& recall) { ShowRecall(recall); };
  }
  Result<Answer> answer = stream_->Answer(turn.text, options);
  terminal.ClearProgress();
  if (!answer) return answer;
  ++answers_;
  terminal.Out(context_.common.json ? JsonLine(TurnJson(*answer, turn.text)) : "\n");
  if (const std::string& fault = answer->recall.fault; !fault.empty()) {
    const bool recalled = answer->recall.decision == RecallDecision::kUsed;
    terminal.Note(
        (recalled ? "memory is degraded: " : "memory is degraded, nothing was recalled: ") + fault);
  }
  return answer;
}

void Dialogue::SetReadBytes(int64_t begin, int64_t end, int64_t total) {
  bytes_begin_ = begin;
  bytes_end_ = end;
  bytes_total_ = total;
}

void Dialogue::ShowRecall(const RecallResult& recall) {
  context_.terminal.Note(DescribeRecall(recall, stream_name(), stream_->stats().next));
}

void Dialogue::ShowProgress(const Progress& progress) {
  Progress shown = progress;
  if (std::string_view(progress.stage) == "read" && bytes_end_ > bytes_begin_ &&
      progress.total > 0) {
    shown.stage = "read bytes";
    shown.done = bytes_begin_ + (bytes_end_ - bytes_begin_) * progress.done / progress.total;
    shown.total = bytes_total_;
  }
  context_.terminal.ShowProgress(shown);
}

int Dialogue::Finish(const Result<void>& result) {
  Terminal& terminal = context_.terminal;
  if (terminal.out_errno() != 0) return kExitOk;  // nobody listens; RunCommand judges the errno
  int code = result ? kExitOk : ReportError(context_, result.error());
  Summary summary{.model = engine_->info(),
                  .plan = stream_->plan(),
                  .stats = stream_->stats(),
                  .answers = answers_,
                  .seed = sampling_.seed,
                  .peak_rss_bytes = PeakResidentBytes(),
                  .total_ms = std::chrono::duration<double, std::milli>(
                                  std::chrono::steady_clock::now() - opened_)
                                  .count()};
  if (const Result<void> kept = CheckKept(summary.stats); !kept) {
    // Of a memory that was asked for it is a failure, though all was answered.
    if (code == kExitOk && !flags_.embedder.store.memory.empty()) {
      code = ReportError(context_, kept.error());
    } else {
      terminal.Fault(kept.error().Message());
    }
  }
  if (context_.common.json) terminal.Out(JsonLine(SummaryJson(summary)));
  const std::string answers =
      answers_ == 0 ? "" : fmt::format(" {} answer{},", answers_, answers_ == 1 ? "" : "s");
  terminal.Note(terminal.Dim(
      fmt::format("{}{} tokens ({} evicted),{} {} of memory at most, {:.1f} s",
                  code == kExitInterrupted ? "stopped: " : "", WithThousands(summary.stats.tokens),
                  WithThousands(summary.stats.evicted), answers,
                  FormatBytes(summary.peak_rss_bytes), summary.total_ms / 1000)));
  return code;
}

}  // namespace anabranch::cli
