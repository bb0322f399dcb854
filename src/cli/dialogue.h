// One stream on one model, and what the user sees of it: answers, recalled text, progress, errors,
// the summary.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "anabranch/engine.h"
#include "cli/conversation.h"
#include "cli/json_output.h"
#include "cli/options.h"

namespace anabranch::cli {

struct DialogueFlags {
  ModelFlags model;
  EmbedderFlags embedder;
  SizeFlags sizes;
  RecallFlags recall;
  SamplingFlags sampling;
};
void AddDialogueOptions(CommandLine& line, CLI::App& app, DialogueFlags& flags);

class Dialogue {
 public:
  // Loads the model and opens a stream with a system prompt ("": none). Says on stderr what the
  // user would want to know: a window that was lowered, the seed. Refers to `context`.
  static Result<std::unique_ptr<Dialogue>> Open(const DialogueFlags& flags,
                                                const CommandDefaults& defaults,
                                                const std::string& system, CommandContext& context);

  // Reads a turn without an answer.
  Result<void> Read(const Turn& turn);
  // Reads a user turn, answers it and shows the answer as it comes, or its object with --json. An
  // interrupted answer is shown and returned like any other.
  Result<Answer> AnswerTurn(const Turn& turn);

  // What is read next is bytes [begin, end) of an input of `total` (0: not known): progress is
  // shown in bytes.
  void SetReadBytes(int64_t begin, int64_t end, int64_t total);

  // Shows a failure and the summary, and gives the exit code.
  int Finish(const Result<void>& result);

  Stream& stream() { return *stream_; }
  const std::string& stream_name() const { return flags_.embedder.stream; }
  const Engine& engine() const { return *engine_; }

 private:
  Dialogue(const DialogueFlags& flags, CommandContext& context)
      : flags_(flags), context_(context) {}
  Result<EngineOptions> FindFiles(const CommandDefaults& defaults, StreamOptions* stream);
  void ShowRecall(const RecallResult& recall);
  void ShowProgress(const Progress& progress);

  DialogueFlags flags_;
  CommandContext& context_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Stream> stream_;
  SamplerOptions sampling_;
  int64_t answers_ = 0;
  int64_t bytes_begin_ = 0, bytes_end_ = 0, bytes_total_ = 0;
  std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
};

// What the stream of that name recalled or could have recalled, for people: a few lines without the
// last end.
std::string DescribeRecall(const RecallResult& recall, const std::string& stream, StreamPos now);

}  // namespace anabranch::cli
