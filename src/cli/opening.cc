#include "cli/opening.h"

#include <fmt/format.h>

#include <algorithm>

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

// Where the character begins that holds a byte; the text's end if that is the end. A window of two
// or three tokens can be full of half a character.
int64_t CharacterAt(const std::string& text, int64_t byte) {
  const auto continues = [&](int64_t at) {
    return at < static_cast<int64_t>(text.size()) &&
           (static_cast<unsigned char>(text[static_cast<size_t>(at)]) & 0xC0) == 0x80;
  };
  while (byte > 0 && continues(byte)) --byte;
  return byte;
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
        AddSwitch(app, "--append", flags.append,
                  "Read FILE as new turns of a stream that has turns already"),
        AddSwitch(app, "--resume-file", flags.resume_file,
                  "Read what the stream has not read of FILE yet"),
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
  if (flags.file) {
    Result<std::string> source = HashFile(input->name);
    if (!source) return tl::unexpected(source.error());
    opening.source = *std::move(source);
  }
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

Result<FilePlace> FindPlace(const InputFlags& flags, const Opening& opening,
                            const StreamStart& start) {
  const FilePlace beginning{.file = opening.source};
  if (!opening.reader || !flags.file) return beginning;
  const std::string& name = opening.reader->name();
  if (flags.append && flags.resume_file) {
    return Fail(ErrorKind::kInvalid, "--append", "contradicts --resume-file", "give one of them");
  }
  if (flags.append || start.turns == 0) return beginning;
  if (!flags.resume_file) {
    return Fail(ErrorKind::kInvalid, name,
                fmt::format("is not read into a stream that has {} turns already", start.turns),
                "use --append to read it as new turns, --resume-file to go on where reading it "
                "ended, or another --stream");
  }
  const std::optional<FilePlace> place = ParsePlace(start.source);
  if (!place || opening.source.empty() || place->file != opening.source) {
    return Fail(ErrorKind::kInvalid, name,
                !place
                    ? "was not read into this stream"
                    : fmt::format("is not what the stream last read a file of, or has changed "
                                  "since: it is {}, that was {}",
                                  opening.source.empty() ? "no file" : opening.source, place->file),
                "use --append to read it from its beginning");
  }
  return *place;
}

Result<void> FeedOpening(Opening& opening, const FilePlace& from, AnswerWhich which,
                         Dialogue& dialogue, CommandContext& context) {
  ConversationReader& reader = *opening.reader;
  Terminal& terminal = context.terminal;
  int64_t read_bytes = 0, number = 0;
  // What is left of a turn; false: it was read before.
  const auto take = [&](Turn* turn) {
    const int64_t n = number++;
    int64_t skip = 0;
    if (n < from.turn) return false;
    if (n == from.turn && from.byte > 0) {
      skip = std::min(from.byte, static_cast<int64_t>(turn->text.size()));
      skip = CharacterAt(turn->text, skip);
      turn->text.erase(0, static_cast<size_t>(skip));
      if (turn->text.empty()) return false;
    }
    dialogue.stream().SetSource(from.file.empty() ? "" : SourceOf(from.file, n), skip);
    return true;
  };
  const TurnSink sink{.read = [&](const Turn& whole) -> Result<void> {
                        Turn turn = whole;
                        if (!take(&turn)) return {};
                        if (opening.is_text()) {
                          dialogue.SetReadBytes(read_bytes, reader.consumed_bytes(),
                                                reader.total_bytes());
                          read_bytes = reader.consumed_bytes();
                        }
                        return dialogue.Read(turn);
                      },
                      .answer = [&](const Turn& whole) -> Result<void> {
                        Turn turn = whole;
                        if (!take(&turn)) return {};
                        if (!context.common.json) terminal.Note(terminal.Dim(Shortened(turn.text)));
                        return AnswerOrStop(turn, dialogue);
                      }};
  Result<void> fed = FeedTurns(std::move(opening.first), reader, which, sink);
  dialogue.stream().SetSource("");
  dialogue.SetReadBytes(0, 0, 0);
  NoteInvalidUtf8(reader, terminal);
  return fed;
}

}  // namespace anabranch::cli
