#include "cli/chat.h"

#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "cli/chat_commands.h"
#include "cli/chat_input.h"
#include "cli/interrupt.h"
#include "cli/state_folder.h"
#include "cli/utf8.h"

namespace anabranch::cli {
namespace {

std::string HistoryPath(const Environment& env) {
  const std::string folder = StateFolder(env);
  return folder.empty() ? "" : folder + "/history";
}

// Says what the user cannot see: the answer was given without text that is gone from the window.
// What was forgotten is not missed.
void NoteWhatIsMissing(const Answer& answer, int64_t evicted, Terminal& terminal) {
  if (evicted == 0 || answer.recall.decision == RecallDecision::kUsed) return;
  terminal.Note(terminal.Dim(fmt::format("({} tokens have left the window; nothing was recalled)",
                                         WithThousands(evicted))));
}

Result<void> Say(std::string text, ChatSession& session) {
  RepairUtf8(&text);
  session.to_forget.clear();
  Turn turn{.role = Role::kUser, .text = std::move(text), .time_ms = NowMs()};
  Result<Answer> answer = session.dialogue.AnswerTurn(turn);
  if (!answer) return tl::unexpected(answer.error());
  turn.number = answer->turn;
  session.transcript.push_back(std::move(turn));
  session.transcript.push_back({.role = Role::kAssistant,
                                .text = answer->text,
                                .time_ms = NowMs(),
                                .number = answer->turn + 1});
  if (answer->stop == StopReason::kInterrupt) {
    session.context.terminal.Note(session.context.terminal.Dim("(stopped)"));
  }
  const StreamStats stats = session.dialogue.stream().stats();
  NoteWhatIsMissing(*answer, stats.evicted - session.forgotten, session.context.terminal);
  if (stats.evicted > 0 && !session.when_full) {
    session.when_full = FootprintOf(session.dialogue.stream());
  }
  return {};
}

// Takes messages until the end. On a terminal Ctrl-C ends what is being done, and a failure the
// turn that failed; in a pipe each ends the chat.
Result<void> Talk(ChatInput& input, bool interactive, ChatSession& session) {
  Terminal& terminal = session.context.terminal;
  while (terminal.out_errno() == 0) {
    Result<std::optional<std::string>> message = ReadMessage(input);
    Result<void> done;
    if (!message) {
      done = tl::unexpected(message.error());
      if (interactive && *session.context.cancel) {
        terminal.Note(terminal.Dim("(Ctrl-C again or Ctrl-D quits)"));
      }
    } else if (!*message) {
      return {};
    } else if (IsChatCommand(**message)) {
      Result<bool> go_on = RunChatCommand(**message, session);
      if (go_on && !*go_on) return {};
      if (!go_on) terminal.Fault(go_on.error().Message());
    } else if ((*message)->find_first_not_of(" \t\n") != std::string::npos) {
      done = Say(**std::move(message), session);
      if (!done && interactive) terminal.Fault(done.error().Message());
    }
    if (!done && !interactive) return done;
    if (terminal.out_errno() == 0) *session.context.cancel = false;
  }
  return {};
}

Result<void> Begin(Opening& opening, const ChatOptions& options, ChatSession& session) {
  if (opening.reader) {
    Result<FilePlace> from = FindPlace(options.input, opening, session.dialogue.stream().start());
    if (!from) return tl::unexpected(from.error());
    Result<void> fed =
        FeedOpening(opening, *from, AnswerWhich::kNone, session.dialogue, session.context);
    if (!fed) return fed;
  }
  return options.input.prompt ? Say(*options.input.prompt, session) : Result<void>();
}

}  // namespace

void AddChatCommand(CommandLine& line) {
  const auto options = std::make_shared<ChatOptions>();
  CLI::App& app =
      line.AddCommand("chat", "Talk with the model; streams, and recalls what left the window",
                      [options](CommandContext& context) { return Chat(*options, context); });
  AddInputOptions(app, options->input);
  AddDialogueOptions(line, app, options->dialogue);
}

int Chat(const ChatOptions& options, CommandContext& context) {
  Result<StreamOptions> valid =
      ToStreamOptions(options.dialogue.sizes, options.dialogue.recall, kChatDefaults, 0);
  if (!valid) return ReportUsage(context, valid.error());
  InstallInterrupt();
  Result<Opening> opening = OpenOpening(options.input, options.input.file, context);
  if (!opening) return ReportError(context, opening.error());
  Result<std::unique_ptr<Dialogue>> dialogue =
      Dialogue::Open(options.dialogue, kChatDefaults, opening->system, context);
  if (!dialogue) return ReportError(context, dialogue.error());

  ChatSession session{
      .dialogue = **dialogue, .context = context, .transcript = {}, .when_full = {}};
  if (!opening->system.empty()) {
    const bool is_new = session.dialogue.stream().start().turns == 0;
    session.transcript.push_back(
        {.role = Role::kSystem, .text = opening->system, .number = is_new ? 0 : -1});
  }
  Result<void> done = Begin(*opening, options, session);
  if (!done) return session.dialogue.Finish(done);

  const TerminalStyle& style = context.terminal.style();
  const bool interactive = context.stdin_is_terminal && style.err_is_terminal && style.escapes;
  const std::unique_ptr<ChatInput> input =
      interactive ? MakeLineEditor(HistoryPath(context.env), context.cancel)
                  : MakePlainLines(context.cancel);
  if (interactive) context.terminal.Note(context.terminal.Dim("/help lists the commands"));
  return session.dialogue.Finish(Talk(*input, interactive, session));
}

}  // namespace anabranch::cli
