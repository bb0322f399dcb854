// The formats of what is read: the seed's JSON list of {role, content[, time]}, JSON Lines of the
// same, MT-bench JSON Lines ({"turns": [...]}), and plain text of any length.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/result.h"
#include "anabranch/types.h"
#include "cli/input.h"

namespace anabranch::cli {

struct Turn {
  Role role = Role::kUser;
  std::string text;
  int64_t time_ms = 0;  // 0: the file does not say
  int64_t number = -1;  // in its stream; -1: it is in none yet
};

enum class InputFormat { kText, kJsonLines, kJsonList };

// Plain text is read in user turns of at most this many bytes, cut between paragraphs, lines or
// words.
inline constexpr size_t kTextPieceBytes = size_t{64} << 10;

// Reads a conversation turn by turn, in constant memory but for a JSON list.
// Errors name the file, the line or record, the fault and the remedy.
class ConversationReader {
 public:
  // The format follows from the name (.txt, .md; .json, .jsonl), else from the first bytes.
  static Result<ConversationReader> Open(Input input);

  // The next turn; empty at the end.
  Result<std::optional<Turn>> Next();

  InputFormat format() const { return format_; }
  const std::string& name() const { return bytes_.input().name; }
  int64_t total_bytes() const { return bytes_.input().total_bytes; }  // 0: not known
  int64_t consumed_bytes() const { return bytes_.consumed(); }
  // Plain text: invalid UTF-8 is read as U+FFFD. How often that was, and where first.
  int64_t invalid_utf8() const { return invalid_utf8_; }
  int64_t first_invalid_line() const { return first_invalid_line_; }

 private:
  explicit ConversationReader(Input input) : bytes_(std::move(input)) {}
  Result<void> ReadList();
  Result<void> ReadLine(bool* at_end);
  Result<std::optional<Turn>> NextPiece();

  InputBuffer bytes_;
  InputFormat format_ = InputFormat::kText;
  std::deque<Turn> parsed_;  // of JSON, not yet handed out
  int64_t invalid_utf8_ = 0, first_invalid_line_ = 0;
};

// How many bytes of `text` make a piece, when more text follows it.
size_t TextPieceSize(std::string_view text);

}  // namespace anabranch::cli
