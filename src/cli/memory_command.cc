#include "cli/memory_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "anabranch/engine.h"
#include "cli/forget_text.h"
#include "cli/json_output.h"
#include "cli/memory_add.h"
#include "cli/memory_index.h"
#include "cli/memory_streams.h"
#include "cli/memory_transfer.h"
#include "cli/option_types.h"
#include "cli/time_format.h"

namespace anabranch::cli {
namespace {

struct MemoryFlags {
  StoreFlags store;
  std::string stream = "default";
  std::optional<std::string> embedder;
  std::vector<std::string> query;
  int32_t k = 5;
  std::optional<StreamSpan> span;
  std::optional<int64_t> before_ms;
  std::optional<std::string> matching;
  bool all = false, yes = false;
  float timeout_seconds = 5;
};

Result<void> List(const MemoryFlags& flags, CommandContext& context) {
  Result<std::unique_ptr<MemoryFile>> memory = OpenMemoryFile(flags.store, "", context);
  if (!memory) return tl::unexpected(memory.error());
  Result<std::vector<MemoryStreamInfo>> streams = (*memory)->List();
  if (!streams) return tl::unexpected(streams.error());
  for (const MemoryStreamInfo& stream : *streams) {
    context.terminal.Out(context.common.json ? JsonLine(StreamJson(stream)) : StreamText(stream));
  }
  return {};
}

Result<void> Search(const MemoryFlags& flags, CommandContext& context) {
  const std::string query = fmt::format("{}", fmt::join(flags.query, " "));
  Result<std::string> embedder = FindEmbedder(flags.embedder, context);
  if (!embedder) return tl::unexpected(embedder.error());
  Result<std::unique_ptr<MemoryFile>> memory = OpenMemoryFile(flags.store, *embedder, context);
  if (!memory) return tl::unexpected(memory.error());
  Result<std::vector<Passage>> passages = (*memory)->Search(flags.stream, query, flags.k);
  if (!passages) return tl::unexpected(passages.error());
  for (const Passage& passage : *passages) {
    if (context.common.json) {
      OrderedJson object = PassageJson(passage);
      object["type"] = "passage";
      context.terminal.Out(JsonLine(object));
      continue;
    }
    context.terminal.Out(fmt::format("{:.3f}  [{}, {})  {}, {}\n  {}\n", passage.score,
                                     passage.span.begin.value(), passage.span.end.value(),
                                     SaidBy(passage), FormatTime(passage.time_ms), passage.text));
  }
  return {};
}

Result<void> Show(const MemoryFlags& flags, CommandContext& context) {
  Result<std::unique_ptr<MemoryFile>> memory = OpenMemoryFile(flags.store, "", context);
  if (!memory) return tl::unexpected(memory.error());
  const StreamSpan all{StreamPos(0), StreamPos(kMaxInt64)};
  Result<std::vector<MemoryTurn>> turns = (*memory)->Show(flags.stream, flags.span.value_or(all));
  if (!turns) return tl::unexpected(turns.error());
  for (const MemoryTurn& turn : *turns) {
    if (context.common.json) {
      context.terminal.Out(JsonLine({{"type", "turn"},
                                     {"turn", turn.turn},
                                     {"role", RoleName(turn.role)},
                                     {"begin", turn.span.begin.value()},
                                     {"end", turn.span.end.value()},
                                     {"time", FormatTime(turn.time_ms)},
                                     {"text", turn.text}}));
      continue;
    }
    context.terminal.Out(fmt::format("[{}, {})  {}, {}\n{}\n\n", turn.span.begin.value(),
                                     turn.span.end.value(), RoleName(turn.role),
                                     FormatTime(turn.time_ms), turn.text));
  }
  return {};
}

Result<void> Forget(const MemoryFlags& flags, CommandContext& context) {
  Result<std::unique_ptr<MemoryFile>> memory = OpenMemoryFile(flags.store, "", context);
  if (!memory) return tl::unexpected(memory.error());
  const ForgetSelection what{.span = flags.span,
                             .before_ms = flags.before_ms,
                             .matching = flags.matching,
                             .all = flags.all,
                             .timeout_ms = std::llround(flags.timeout_seconds * 1000)};
  Result<ForgetResult> forgotten = (*memory)->Forget(flags.stream, what, !flags.yes);
  if (!forgotten) return tl::unexpected(forgotten.error());
  OrderedJson spans = OrderedJson::array();
  for (const StreamSpan& span : forgotten->spans) {
    spans.push_back({span.begin.value(), span.end.value()});
  }
  if (context.common.json) {
    const auto once_done = [&](const std::string& text) {
      return forgotten->done && !text.empty() ? OrderedJson(text) : OrderedJson(nullptr);
    };
    context.terminal.Out(JsonLine({{"type", "forgotten"},
                                   {"done", forgotten->done},
                                   {"grade", once_done(GradeName(forgotten->grade))},
                                   {"erased_when", once_done(forgotten->erased_when)},
                                   {"units", forgotten->units},
                                   {"text_bytes", forgotten->text_bytes},
                                   {"spans", std::move(spans)}}));
    return {};
  }
  context.terminal.Out(ForgottenText(*forgotten) + "\n");
  context.terminal.Note(forgotten->done ? GradeText(*forgotten)
                                        : "nothing was changed: --yes forgets it for good");
  return {};
}

// Of a file without writing to it; the default embedder's vocabulary is used when it is installed.
// Of a server with what it has.
Result<VerifyReport> VerifyMemory(const MemoryFlags& flags, CommandContext& context) {
  Result<std::string> embedder = FindEmbedder(flags.embedder, context);
  const bool on_server = IsServerLocation(flags.store.memory);
  if (!embedder && (flags.embedder || on_server)) return tl::unexpected(embedder.error());
  if (!on_server) return MemoryFile::VerifyReadOnly(flags.store.memory, embedder.value_or(""));
  Result<std::unique_ptr<MemoryFile>> memory = OpenMemoryFile(flags.store, *embedder, context);
  if (!memory) return tl::unexpected(memory.error());
  return (*memory)->Verify();
}

Result<void> Verify(const MemoryFlags& flags, CommandContext& context) {
  Result<VerifyReport> report = VerifyMemory(flags, context);
  if (!report) return tl::unexpected(report.error());
  if (context.common.json) {
    OrderedJson streams = OrderedJson::array();
    for (const MemoryStreamInfo& stream : report->streams) {
      OrderedJson object = StreamJson(stream);
      object.erase("type");
      streams.push_back(std::move(object));
    }
    context.terminal.Out(JsonLine({{"type", "verified"},
                                   {"ok", report->ok},
                                   {"cut_checked", report->cut_checked},
                                   {"streams", std::move(streams)},
                                   {"faults", report->faults}}));
  } else {
    for (const MemoryStreamInfo& stream : report->streams) {
      context.terminal.Out(StreamText(stream));
    }
    for (const std::string& fault : report->faults) context.terminal.Out(fault + "\n");
    if (!report->cut_checked) {
      context.terminal.Note("units were not cut again: that takes the memory's --embedder");
    }
    context.terminal.Out(report->ok ? "ok\n" : "");
  }
  if (report->ok) return {};
  return Fail(ErrorKind::kCorrupt, flags.store.memory,
              fmt::format("{} faults were found", report->faults.size()), "see the list of faults");
}

Result<void> CheckSearch(const MemoryFlags& flags) {
  if (!flags.query.empty()) return {};
  return Fail(ErrorKind::kInvalid, "memory search", "nothing is looked for", "give a text");
}

Result<void> CheckForget(const MemoryFlags& flags) {
  const int given = (flags.span ? 1 : 0) + (flags.before_ms ? 1 : 0) + (flags.matching ? 1 : 0) +
                    (flags.all ? 1 : 0);
  if (given == 1) return {};
  return Fail(
      ErrorKind::kInvalid, "memory forget",
      given == 0 ? "nothing says what to forget" : "more than one thing says what to forget",
      "give one of --span, --before, --matching and --all");
}

// "1200:1350".
Result<StreamSpan> ParseSpan(const std::string& text) {
  const size_t colon = text.find(':');
  Result<int64_t> begin = ParseInteger(text.substr(0, colon), 0, kMaxInt64);
  Result<int64_t> end =
      ParseInteger(colon == std::string::npos ? "" : text.substr(colon + 1), 0, kMaxInt64);
  if (!begin || !end || *begin > *end) {
    return Fail(ErrorKind::kInvalid, "",
                fmt::format("'{}' is no span BEGIN:END of positions", text));
  }
  return StreamSpan{StreamPos(*begin), StreamPos(*end)};
}

void AddSpan(CLI::App& app, MemoryFlags& flags, const char* help) {
  AddParsed(
      app, "--span", "BEGIN:END",
      [&flags](const std::string& text) -> Result<void> {
        Result<StreamSpan> span = ParseSpan(text);
        if (!span) return tl::unexpected(span.error());
        flags.span = *span;
        return {};
      },
      help);
}

void AddBefore(CLI::App& app, MemoryFlags& flags) {
  AddParsed(
      app, "--before", "TIME",
      [&flags](const std::string& text) -> Result<void> {
        flags.before_ms = ParseTime(text);
        if (flags.before_ms) return {};
        return Fail(ErrorKind::kInvalid, "", fmt::format("'{}' is no ISO 8601 time", text));
      },
      "What was said before then (ISO 8601; without a zone UTC)");
}

}  // namespace

void AddMemoryCommand(CommandLine& line) {
  const auto flags = std::make_shared<MemoryFlags>();
  CLI::App& group =
      line.AddGroup("memory", "Fill, list, search, show, forget, move, index and verify a memory");
  const auto add = [&](const char* name, const char* description,
                       Result<void> (*run)(const MemoryFlags&, CommandContext&),
                       Result<void> (*usage)(const MemoryFlags&) = nullptr) -> CLI::App& {
    StoreCommand command = {
        .name = name,
        .description = description,
        .store = &flags->store,
        .run = [flags, run](CommandContext& context) { return run(*flags, context); }};
    if (usage != nullptr) command.usage = [flags, usage] { return usage(*flags); };
    return AddStoreCommand(line, group, command);
  };
  add("list", "The streams of a memory", List);
  CLI::App& search = add("search", "What is like a text", Search, CheckSearch);
  AddWords(search, "query", flags->query, "Text to look for");
  AddStreamName(search, flags->stream);
  AddInteger(search, "-k,--count", flags->k, 1, 10000, "Passages at most [5]");
  AddEmbedderName(search, flags->embedder);
  CLI::App& show = add("show", "What was said, turn by turn", Show);
  AddStreamName(show, flags->stream);
  AddSpan(show, *flags, "Only turns that overlap these positions");
  CLI::App& forget = add("forget", "Forget for good; without --yes a dry run", Forget, CheckForget);
  AddStreamName(forget, flags->stream);
  AddSpan(forget, *flags, "What stands at these positions");
  AddBefore(forget, *flags);
  AddText(forget, "--matching", flags->matching, "Sentences that hold this text, in any case");
  AddSwitch(forget, "--all", flags->all, "The whole stream");
  AddSwitch(forget, "--yes", flags->yes, "Do it");
  AddNumber(forget, "--timeout", flags->timeout_seconds, 0, 86400,
            "Seconds to wait for other readers of the file, and for a server [5]");
  AddMemoryAdd(line, group);
  AddMemoryTransfer(line, group);
  AddMemoryIndex(line, group);
  AddEmbedderName(
      add("verify", "Check that nothing is damaged or missing; changes nothing", Verify),
      flags->embedder);
}

}  // namespace anabranch::cli
