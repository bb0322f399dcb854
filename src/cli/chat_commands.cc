#include "cli/chat_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/forget_text.h"
#include "cli/json_output.h"
#include "cli/process_memory.h"
#include "cli/time_format.h"

namespace anabranch::cli {
namespace {

constexpr std::string_view kHelp =
    "/help         this list\n"
    "/stats        window, stream and memory, and how they grow\n"
    "/recall TEXT  what memory has for a text\n"
    "/forget       forget all that was said\n"
    "/forget TEXT  forget the sentences that hold a text\n"
    "/save FILE    write the conversation as JSON\n"
    "/quit         leave, as Ctrl-D does\n"
    "\"\"\"           begins and ends a message of many lines\n"
    "Ctrl-C        stops the answer; twice within a second quits";

std::string GrowthText(const std::optional<Footprint>& from, const Footprint& to) {
  if (!from || to.tokens <= from->tokens) return "is measured once the window is full";
  const auto per_1000_tokens = [&](int64_t bytes) {
    return FormatBytes(std::max<int64_t>(0, bytes) * 1000 / (to.tokens - from->tokens));
  };
  return fmt::format("per 1,000 tokens: {} of RAM, {} on disk",
                     per_1000_tokens(to.resident_bytes - from->resident_bytes),
                     per_1000_tokens(to.disk_bytes - from->disk_bytes));
}

std::string StatsText(const ChatSession& session) {
  const StreamPlan& plan = session.dialogue.stream().plan();
  const StreamStats stats = session.dialogue.stream().stats();
  const Footprint now = FootprintOf(session.dialogue.stream());
  return fmt::format(
      "window  {} of {} tokens, from {}; {} pinned before it\n"
      "stream  {} tokens, {} turns; {} tokens have left the window\n"
      "memory  {} tokens journalled, {} indexed; {} on disk\n"
      "process {} resident, {} of it for keys and values\n"
      "growth  {}",
      WithThousands(stats.next - stats.window_begin), WithThousands(plan.recent_size),
      WithThousands(stats.window_begin.value()), WithThousands(plan.n_pinned),
      WithThousands(stats.next.value()), WithThousands(stats.turns), WithThousands(stats.evicted),
      WithThousands(stats.journalled.value()), WithThousands(stats.indexed.value()),
      FormatBytes(now.disk_bytes), FormatBytes(now.resident_bytes), FormatBytes(plan.kv_bytes),
      GrowthText(session.when_full, now));
}

// Writes a whole file or leaves the one that is there.
Result<void> WriteFile(const std::string& path, const std::string& bytes) {
  const std::string partial = path + ".partial";
  std::ofstream file(partial, std::ios::binary);
  file << bytes << std::flush;
  if (!file) {
    return Fail(ErrorKind::kIo, partial, std::strerror(errno), "save to another place");
  }
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  if (error) return Fail(ErrorKind::kIo, path, error.message(), "save to another place");
  return {};
}

Result<void> Recall(const std::string& text, ChatSession& session) {
  Stream& stream = session.dialogue.stream();
  Result<RecallResult> found = stream.Recall(text);
  if (!found) return tl::unexpected(found.error());
  session.context.terminal.Note(
      DescribeRecall(*found, session.dialogue.stream_name(), stream.stats().next));
  return {};
}

// How much a text matches is not known before: it is said first, and done when it is asked for
// again.
Result<void> Forget(const std::string& text, ChatSession& session) {
  Stream& stream = session.dialogue.stream();
  Terminal& terminal = session.context.terminal;
  ForgetSelection what;
  what.all = text.empty();
  if (!what.all) what.matching = text;
  if (!what.all && std::exchange(session.to_forget, text) != text) {
    Result<ForgetResult> found = stream.WouldForget(what);
    if (!found) return tl::unexpected(found.error());
    if (found->spans.empty()) session.to_forget.clear();
    terminal.Note(found->spans.empty() ? "nothing that was said holds that"
                                       : ForgottenText(*found) + "; the same again does it");
    return {};
  }
  session.to_forget.clear();
  Result<ForgetResult> forgotten = stream.Forget(what);
  terminal.ClearProgress();
  if (!forgotten) return tl::unexpected(forgotten.error());
  if (what.all) session.forgotten = stream.stats().evicted;
  std::erase_if(session.transcript, [&](const Turn& turn) {
    return (what.all && turn.role != Role::kSystem) ||
           std::find(forgotten->turns.begin(), forgotten->turns.end(), turn.number) !=
               forgotten->turns.end();
  });
  terminal.Note(ForgottenText(*forgotten) + "\n" + GradeText(*forgotten));
  return {};
}

Result<void> Save(const std::string& path, ChatSession& session) {
  Result<void> written = WriteFile(path, TranscriptJson(session.transcript));
  if (!written) return written;
  session.context.terminal.Note(
      fmt::format("saved {} turns to {}", session.transcript.size(), path));
  return {};
}

}  // namespace

Footprint FootprintOf(const Stream& stream) {
  const StreamStats stats = stream.stats();
  return {.resident_bytes = ResidentBytes(),
          .disk_bytes = stats.memory_disk_bytes,
          .tokens = stats.tokens};
}

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string TranscriptJson(const std::vector<Turn>& transcript) {
  OrderedJson list = OrderedJson::array();
  for (const Turn& turn : transcript) {
    OrderedJson record = {{"role", RoleName(turn.role)}, {"content", turn.text}};
    if (turn.time_ms != 0) record["time"] = FormatTime(turn.time_ms);
    list.push_back(std::move(record));
  }
  return list.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

bool IsChatCommand(std::string_view message) {
  return message.starts_with('/') && message.find('\n') == std::string_view::npos;
}

Result<bool> RunChatCommand(std::string_view message, ChatSession& session) {
  const size_t space = message.find_first_of(" \t");
  const std::string_view command = message.substr(0, space);
  std::string_view rest = space == std::string_view::npos ? "" : message.substr(space);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const std::string argument(rest.substr(0, rest.find_last_not_of(" \t\r") + 1));

  const bool needs_argument = command == "/recall" || command == "/save";
  if (needs_argument && argument.empty()) {
    return Fail(ErrorKind::kInvalid, std::string(command), "needs a word behind it",
                command == "/save" ? "/save FILE" : "/recall TEXT");
  }
  Result<void> done;
  if (command != "/forget") session.to_forget.clear();
  if (command == "/quit") return false;
  if (command == "/help") {
    session.context.terminal.Note(kHelp);
  } else if (command == "/stats") {
    session.context.terminal.Note(StatsText(session));
  } else if (command == "/recall") {
    done = Recall(argument, session);
  } else if (command == "/forget") {
    done = Forget(argument, session);
  } else if (command == "/save") {
    done = Save(argument, session);
  } else {
    return Fail(ErrorKind::kInvalid, std::string(command), "is no command",
                "/help lists them; begin with a space to say it to the model");
  }
  if (!done) return tl::unexpected(done.error());
  return true;
}

}  // namespace anabranch::cli
