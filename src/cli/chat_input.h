// Where the lines of a chat come from: a line editor on a terminal, plain lines else.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "anabranch/result.h"
#include "cli/context.h"

namespace anabranch::cli {

class ChatInput {
 public:
  virtual ~ChatInput() = default;
  // The next line, without its end; pasted text may hold line ends. Empty: the end of input.
  // Errors: kInterrupted for Ctrl-C, what was typed is dropped; kIo; kLimit.
  virtual Result<std::optional<std::string>> Line(const char* prompt) = 0;
  // A whole message, for the history.
  virtual void Remember(const std::string& message) = 0;
};

// Lines with editing, history and bracketed paste, on stdin and stderr, which are terminals.
// `history_path`: where the history is kept; "": nowhere.
std::unique_ptr<ChatInput> MakeLineEditor(const std::string& history_path,
                                          std::atomic<bool>* cancel);
// Lines of stdin as they are.
std::unique_ptr<ChatInput> MakePlainLines(const std::atomic<bool>* cancel);

// The next message: a line, or the lines between a line that begins with """ and one that ends with
// it. Results as of Line.
Result<std::optional<std::string>> ReadMessage(ChatInput& input);

}  // namespace anabranch::cli
