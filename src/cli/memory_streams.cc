#include "cli/memory_streams.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/interrupt.h"
#include "cli/memory_place.h"
#include "cli/model_path.h"
#include "cli/option_types.h"
#include "cli/time_format.h"

namespace anabranch::cli {
namespace {

// A stream that was forgotten as a whole has no times.
OrderedJson TimeJson(int64_t time_ms) {
  return time_ms == 0 ? OrderedJson(nullptr) : OrderedJson(FormatTime(time_ms));
}

}  // namespace

CLI::App& AddStoreCommand(CommandLine& line, CLI::App& group, const char* name,
                          const char* description, StoreFlags& store,
                          const std::function<Result<void>()>& usage,
                          const std::function<Result<void>(CommandContext&)>& run) {
  const auto command = [&store, usage, run](CommandContext& context) {
    Result<void> usable = store.memory.empty() ? Fail(ErrorKind::kInvalid, "--memory", "is missing",
                                                      "say where the memory lives")
                                               : usage();
    if (!usable) return ReportUsage(context, usable.error());
    InstallInterrupt();
    Result<void> done = run(context);
    return done ? kExitOk : ReportError(context, done.error());
  };
  CLI::App& app = line.AddCommand(group, name, description, command);
  AddStoreOptions(app, store, "The memory: a file or a server");
  return app;
}

void AddEmbedderName(CLI::App& app, std::optional<std::string>& embedder) {
  AddText(app, "--embedder", embedder,
          fmt::format("Sentence embedder: a folder or a name [{}]", kDefaultEmbedder))
      ->type_name("FOLDER");
}

Result<std::string> FindEmbedder(const std::optional<std::string>& embedder,
                                 CommandContext& context) {
  return FindModel(embedder.value_or(kDefaultEmbedder), ModelKind::kEmbedder, context.env);
}

Result<EngineOptions> PlaceMemoryFile(const StoreFlags& store, const std::string& embedder,
                                      CommandContext& context) {
  EngineOptions options;
  options.embedder = embedder;
  options.on_progress = [&context](const Progress& progress) {
    context.terminal.ShowProgress(progress);
  };
  Result<void> placed = PlaceMemory(store, context.env, &options);
  if (!placed) return tl::unexpected(placed.error());
  return options;
}

Result<std::unique_ptr<MemoryFile>> OpenMemoryFile(const StoreFlags& store,
                                                   const std::string& embedder,
                                                   CommandContext& context) {
  Result<EngineOptions> options = PlaceMemoryFile(store, embedder, context);
  if (!options) return tl::unexpected(options.error());
  std::string path = IsServerLocation(options->memory) ? options->journal : options->memory;
  if (path.starts_with("sqlite:")) path.erase(0, std::string_view("sqlite:").size());
  std::error_code error;
  const bool is_there = std::filesystem::exists(path, error);
  if (!is_there || std::filesystem::file_size(path, error) == 0) {
    return Fail(ErrorKind::kNotFound, path, is_there ? "is empty" : "is not there",
                "give the file that run or chat was given with --memory or --journal");
  }
  return MemoryFile::Open(*options);
}

OrderedJson StreamJson(const MemoryStreamInfo& stream) {
  return {{"type", "stream"},
          {"stream", stream.name},
          {"end", stream.end.value()},
          {"indexed", stream.indexed.value()},
          {"turns", stream.turns},
          {"units", stream.units},
          {"text_bytes", stream.text_bytes},
          {"first_time", TimeJson(stream.first_time_ms)},
          {"last_time", TimeJson(stream.last_time_ms)}};
}

std::string StreamText(const MemoryStreamInfo& stream) {
  std::string text = fmt::format("{}: {} tokens, {} turns, {} units, {} of text", stream.name,
                                 WithThousands(stream.end.value()), WithThousands(stream.turns),
                                 WithThousands(stream.units), FormatBytes(stream.text_bytes));
  if (stream.last_time_ms != 0) {
    text += fmt::format(", {} to {}", FormatTime(stream.first_time_ms),
                        FormatTime(stream.last_time_ms));
  }
  return text + "\n";
}

void ShowStreams(const StreamsReport& report, CommandContext& context) {
  for (const MemoryStreamInfo& stream : report.streams) {
    context.terminal.Out(context.common.json ? JsonLine(StreamJson(stream)) : StreamText(stream));
  }
  if (report.behind.empty()) return;
  context.terminal.Note("the server does not have all of it yet: " + report.behind +
                        "; whoever opens the stream next goes on with it");
}

}  // namespace anabranch::cli
