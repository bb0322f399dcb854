// How a dialogue begins: the file or stdin that is read first, and the system prompt.
#pragma once

#include <optional>
#include <string>

#include "cli/conversation.h"
#include "cli/dialogue.h"
#include "cli/feed.h"

namespace anabranch::cli {

// Where the words of a dialogue come from.
struct InputFlags {
  std::optional<std::string> file, prompt, system;
  std::string data_root;
};
void AddInputOptions(CLI::App& app, InputFlags& flags);

struct Opening {
  std::optional<ConversationReader> reader;  // empty: nothing is read
  std::optional<Turn> first;                 // what the reader gave already
  std::string system;                        // --system, else the system turn that comes first

  bool is_text() const { return reader && reader->format() == InputFormat::kText; }
};

// Opens `path` ("-": stdin), or nothing.
Result<Opening> OpenOpening(const InputFlags& flags, const std::optional<std::string>& path,
                            CommandContext& context);

// Reads and answers it.
Result<void> FeedOpening(Opening& opening, AnswerWhich which, Dialogue& dialogue,
                         CommandContext& context);

// Answers a turn and ends with kInterrupted when the answer was interrupted.
Result<void> AnswerOrStop(const Turn& turn, Dialogue& dialogue);

}  // namespace anabranch::cli
