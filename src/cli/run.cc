#include "cli/run.h"

#include <fmt/format.h>

#include <memory>

#include "cli/chat.h"
#include "cli/interrupt.h"
#include "cli/option_types.h"

namespace anabranch::cli {
namespace {

// Plain text that nobody asks about is the question itself, when it is short enough for one.
Result<void> TakeTextAsPrompt(Opening* opening) {
  std::string& text = opening->first->text;
  Result<std::optional<Turn>> more = opening->reader->Next();
  if (!more) return tl::unexpected(more.error());
  if (*more) {
    return Fail(ErrorKind::kInvalid, opening->reader->name(),
                fmt::format("is a text of more than {} bytes, and nothing is asked about it",
                            kTextPieceBytes),
                "give a question with -p");
  }
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return {};
}

Result<void> Converse(Opening& opening, const RunOptions& options, Dialogue& dialogue,
                      CommandContext& context) {
  const std::optional<std::string>& prompt = options.input.prompt;
  const AnswerWhich which = prompt                     ? AnswerWhich::kNone
                            : options.answer == "last" ? AnswerWhich::kLast
                                                       : AnswerWhich::kEvery;
  if (opening.reader) {
    Result<FilePlace> from = FindPlace(options.input, opening, dialogue.stream().start());
    if (!from) return tl::unexpected(from.error());
    Result<void> fed = FeedOpening(opening, *from, which, dialogue, context);
    if (!fed) return fed;
  }
  if (!prompt) return {};
  return AnswerOrStop({.role = Role::kUser, .text = *prompt}, dialogue);
}

}  // namespace

void AddRunOptions(CommandLine& line, CLI::App& app, RunOptions& options) {
  AddInputOptions(app, options.input);
  for (CLI::Option* option :
       {AddChoice(app, "--answer", options.answer, {"every", "last"},
                  "Which user turns of the conversation are answered [every]"),
        AddSwitch(app, "--enable-interactive", options.interactive,
                  "Chat: the same as the command chat")}) {
    option->group("Input");
  }
  AddDialogueOptions(line, app, options.dialogue);
}

void AddRunCommand(CommandLine& line) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App& app = line.AddCommand(
      "run", "Answer the turns of a conversation, or read a text and answer a prompt",
      [options](CommandContext& context) { return Run(*options, context); });
  AddRunOptions(line, app, *options);
}

int Run(const RunOptions& options, CommandContext& context) {
  if (options.interactive) {
    return Chat({.dialogue = options.dialogue, .input = options.input}, context);
  }
  Result<StreamOptions> valid =
      ToStreamOptions(options.dialogue.sizes, options.dialogue.recall, kRunDefaults, 0);
  if (!valid) return ReportUsage(context, valid.error());
  std::optional<std::string> path = options.input.file;
  if (!path && !context.stdin_is_terminal) path = "-";
  if (!path && !options.input.prompt) {
    return ReportUsage(context, {.kind = ErrorKind::kInvalid,
                                 .what = "run",
                                 .fault = "there is nothing to read and nothing to answer",
                                 .remedy = "give a file with -f, a question with -p, or use chat"});
  }

  InstallInterrupt();
  Result<Opening> opening = OpenOpening(options.input, path, context);
  if (!opening) return ReportError(context, opening.error());
  if (!options.input.prompt && opening->reader) {
    if (!opening->first && opening->is_text() && !options.input.file) {
      return ReportUsage(context,
                         {.kind = ErrorKind::kInvalid,
                          .what = "stdin",
                          .fault = "is empty, and there is no question",
                          .remedy = "give a file with -f, a question with -p, or use chat"});
    }
    if (!opening->first) {
      return ReportError(context, {.kind = ErrorKind::kInvalid,
                                   .what = opening->reader->name(),
                                   .fault = "holds no turn to answer",
                                   .remedy = "give a conversation with a user turn, or -p"});
    }
    if (opening->is_text()) {
      Result<void> taken = TakeTextAsPrompt(&*opening);
      if (!taken) return ReportUsage(context, taken.error());
    }
  }

  Result<std::unique_ptr<Dialogue>> dialogue =
      Dialogue::Open(options.dialogue, kRunDefaults, opening->system, context);
  if (!dialogue) return ReportError(context, dialogue.error());
  return (*dialogue)->Finish(Converse(*opening, options, **dialogue, context));
}

}  // namespace anabranch::cli
