// What the commands of `memory` share: the memory itself, and how its streams are shown.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "anabranch/engine.h"
#include "cli/command_line.h"
#include "cli/json_output.h"
#include "cli/options.h"

namespace anabranch::cli {

// A command of the group `memory`.
struct StoreCommand {
  const char* name;
  const char* description;
  StoreFlags* store;  // part of what `run` owns
  std::function<Result<void>(CommandContext&)> run;
  std::function<Result<void>()> usage = {};  // what is wrong with the command line; empty: nothing
  bool cancels = false;                      // `run` ends once context.cancel is set
};
CLI::App& AddStoreCommand(CommandLine& line, CLI::App& group, const StoreCommand& command);
void AddStreamName(CLI::App& app, std::string& stream,
                   const char* help = "Name of the stream [default]");
// --model and --chat-template: how turns are written.
void AddTurnFormat(CLI::App& app, ModelFlags& flags, const char* model_help);
Result<TurnFormat> FindTurnFormat(const ModelFlags& flags, CommandContext& context);
void AddEmbedderName(CLI::App& app, std::optional<std::string>& embedder);
Result<std::string> FindEmbedder(const std::optional<std::string>& embedder,
                                 CommandContext& context);

// A memory's options, with progress on the terminal of `context`, which must outlive them.
Result<EngineOptions> PlaceMemoryFile(const StoreFlags& store, const std::string& embedder,
                                      CommandContext& context);

// A memory that exists.
Result<std::unique_ptr<MemoryFile>> OpenMemoryFile(const StoreFlags& store,
                                                   const std::string& embedder,
                                                   CommandContext& context);

OrderedJson StreamJson(const MemoryStreamInfo& stream);
std::string StreamText(const MemoryStreamInfo& stream);
// Says why a server does not have all yet; "": nothing.
void NoteBehind(const std::string& behind, CommandContext& context);
void ShowStreams(const StreamsReport& report, CommandContext& context);

}  // namespace anabranch::cli
