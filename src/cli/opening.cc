#include "cli/opening.h"

#include <fmt/format.h>

#include "cli/option_types.h"
#include "cli/utf8.h"

namespace anabranch::cli {
namespace {

constexpr size_t kShownBytes = 100;  // of a question, before its answer

// The beginning of a turn, on one line.
std::string Shortened(const std::string& text) {
  std::string line = text.substr(0, TextPieceSize(std::string_view(text).substr(0, kShownBytes)));
  if (text.size() <= kShownBytes) line = text;
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return "> " + line + (text.size() > line.size() ? "..." : "");
}

void NoteInvalidUtf8(const ConversationReader& reader, Terminal& terminal) {
  if (reader.invalid_utf8() == 0) return;
  terminal.Note(fmt::format(
      "{}: is not UTF-8 ({} times, first in line {}) and was read with "
      "U+FFFD there; convert it: iconv -f LATIN1 -t UTF-8",
      reader.name(), WithThousands(reader.invalid_utf8()), reader.first_invalid_line()));
}

// Text for the model, which reads UTF-8 alone.
CLI::Option* AddModelText(CLI::App& app, std::string_view names, std::optional<std::string>& target,
                          const std::string& help) {
  const auto set = [&target](const std::string& text) -> Result<void> {
    target = text;
    RepairUtf8(&*target);
    return {};
  };
  return AddParsed(app, names, "TEXT", set, help);
}

}  // namespace

void AddInputOptions(CLI::App& app, InputFlags& flags) {
  for (CLI::Option* option :
       {AddText(app, "-f,--file,--file-path", flags.file,
                "JSON list, JSON Lines, MT-bench or plain text to read, -: stdin")
            ->type_name("FILE"),
        AddText(app, "--data-root", flags.data_root,
                "Where a FILE that does not exist is looked for")
            ->type_name("FOLDER"),
        AddModelText(app, "-p,--prompt", flags.prompt, "Question to answer after what is read"),
        AddModelText(app, "--system", flags.system,
                     "System prompt, instead of the conversation's")}) {
    option->group("Input");
  }
}

Result<Opening> OpenOpening(const InputFlags& flags, const std::optional<std::string>& path,
                            CommandContext& context) {
  Opening opening;
  opening.system = flags.system.value_or("");
  if (!path) return opening;
  Result<Input> input = OpenInput(*path, flags.data_root, context.cancel);
  if (!input) return tl::unexpected(input.error());
  Result<ConversationReader> reader = ConversationReader::Open(*std::move(input));
  if (!reader) return tl::unexpected(reader.error());
  Result<std::optional<Turn>> first = reader->Next();
  if (first && *first && (*first)->role == Role::kSystem) {
    if (flags.system) {
      context.terminal.Detail("--system replaces the system turn of " + reader->name());
    } else {
      opening.system = (*first)->text;
    }
    first = reader->Next();
  }
  if (!first) return tl::unexpected(first.error());
  opening.first = *std::move(first);
  opening.reader = *std::move(reader);
  return opening;
}

Result<void> AnswerOrStop(const Turn& turn, Dialogue& dialogue) {
  Result<Answer> answer = dialogue.AnswerTurn(turn);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->stop == StopReason::kInterrupt) {
    return Fail(ErrorKind::kInterrupted, "", "the answer was interrupted");
  }
  return {};
}

Result<void> FeedOpening(Opening& opening, AnswerWhich which, Dialogue& dialogue,
                         CommandContext& context) {
  ConversationReader& reader = *opening.reader;
  Terminal& terminal = context.terminal;
  int64_t read_bytes = 0;
  const TurnSink sink{.read = [&](const Turn& turn) -> Result<void> {
                        if (opening.is_text()) {
                          dialogue.SetReadBytes(read_bytes, reader.consumed_bytes(),
                                                reader.total_bytes());
                          read_bytes = reader.consumed_bytes();
                        }
                        return dialogue.Read(turn);
                      },
                      .answer = [&](const Turn& turn) -> Result<void> {
                        if (!context.common.json) terminal.Note(terminal.Dim(Shortened(turn.text)));
                        return AnswerOrStop(turn, dialogue);
                      }};
  Result<void> fed = FeedTurns(std::move(opening.first), reader, which, sink);
  dialogue.SetReadBytes(0, 0, 0);
  NoteInvalidUtf8(reader, terminal);
  return fed;
}

}  // namespace anabranch::cli
