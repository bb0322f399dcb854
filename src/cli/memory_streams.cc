#include "cli/memory_streams.h"

#include <fmt/format.h>

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

CLI::App& AddStoreCommand(CommandLine& line, CLI::App& group, const StoreCommand& command) {
  const auto run = [command](CommandContext& context) {
    Result<void> usable = command.usage ? command.usage() : Result<void>();
    if (command.store->memory.empty()) {
      usable = Fail(ErrorKind::kInvalid, "--memory", "is missing", "say where the memory lives");
    }
    if (!usable) return ReportUsage(context, usable.error());
    if (command.cancels) InstallInterrupt();
    Result<void> done = command.run(context);
    return done ? kExitOk : ReportError(context, done.error());
  };
  CLI::App& app = line.AddCommand(group, command.name, command.description, run);
  AddStoreOptions(app, *command.store, "The memory: a file or a server");
  return app;
}

void AddStreamName(CLI::App& app, std::string& stream, const char* help) {
  AddText(app, "--stream", stream, help)->type_name("NAME");
}

void AddTurnFormat(CLI::App& app, ModelFlags& flags, const char* model_help) {
  AddText(app, "-m,--model,--model-name-or-path", flags.model,
          fmt::format("{}: a path or a name [{}]", model_help, kDefaultModel))
      ->type_name("FILE");
  AddText(app, "--chat-template", flags.chat_template, "Its chat template [the model's]")
      ->type_name("NAME");
}

Result<TurnFormat> FindTurnFormat(const ModelFlags& flags, CommandContext& context) {
  Result<std::string> model = FindModel(flags.model, ModelKind::kLanguageModel, context.env);
  if (!model) return tl::unexpected(model.error());
  return TurnFormat{*std::move(model), flags.chat_template};
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

void NoteBehind(const std::string& behind, CommandContext& context) {
  if (behind.empty()) return;
  context.terminal.Note("the server does not have all of it yet: " + behind +
                        "; whoever opens the stream next goes on with it");
}

void ShowStreams(const StreamsReport& report, CommandContext& context) {
  for (const MemoryStreamInfo& stream : report.streams) {
    context.terminal.Out(context.common.json ? JsonLine(StreamJson(stream)) : StreamText(stream));
  }
  NoteBehind(report.behind, context);
}

}  // namespace anabranch::cli
