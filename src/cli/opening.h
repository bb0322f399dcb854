// How a dialogue begins: the file or stdin that is read first, and the system prompt.
#pragma once

#include <optional>
#include <string>

#include "cli/conversation.h"
#include "cli/dialogue.h"
#include "cli/feed.h"
#include "cli/file_place.h"

namespace anabranch::cli {

// Where the words of a dialogue come from.
struct InputFlags {
  std::optional<std::string> file, prompt, system;
  std::string data_root;
  bool append = false, resume_file = false;
};
void AddInputOptions(CLI::App& app, InputFlags& flags);

struct Opening {
  std::optional<ConversationReader> reader;  // empty: nothing is read
  std::optional<Turn> first;                 // what the reader gave already
  std::string system;                        // --system, else the system turn that comes first
  std::string source;                        // the file by its contents; "": not a file

  bool is_text() const { return reader && reader->format() == InputFormat::kText; }
};

// Opens `path` ("-": stdin), or nothing.
Result<Opening> OpenOpening(const InputFlags& flags, const std::optional<std::string>& path,
                            CommandContext& context);

// May the opening be read into this stream, and from where on? A stream that has turns already is
// given a file only on purpose: --append reads all of it, --resume-file what was not read yet.
// Errors: neither was said; the file is not the one that was being read.
Result<FilePlace> FindPlace(const InputFlags& flags, const Opening& opening,
                            const StreamStart& start);

// Reads and answers what comes behind `from`.
Result<void> FeedOpening(Opening& opening, const FilePlace& from, AnswerWhich which,
                         Dialogue& dialogue, CommandContext& context);

// Answers a turn and ends with kInterrupted when the answer was interrupted.
Result<void> AnswerOrStop(const Turn& turn, Dialogue& dialogue);

}  // namespace anabranch::cli
