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

// A command of the group `memory` that may take long. `run` owns what `store` is part of; `usage`
// says what is wrong with the command line.
CLI::App& AddStoreCommand(CommandLine& line, CLI::App& group, const char* name,
                          const char* description, StoreFlags& store,
                          const std::function<Result<void>()>& usage,
                          const std::function<Result<void>(CommandContext&)>& run);
void AddEmbedderName(CLI::App& app, std::optional<std::string>& embedder);
Result<std::string> FindEmbedder(const std::optional<std::string>& embedder,
                                 CommandContext& context);

// A memory's options, with progress on the terminal of `context`, which must outlive them.
Result<EngineOptions> PlaceMemoryFile(const StoreFlags& store, const std::string& embedder,
                                      CommandContext& context);

// A memory that exists: opening one to look at it must not make it, nor one of an empty file.
Result<std::unique_ptr<MemoryFile>> OpenMemoryFile(const StoreFlags& store,
                                                   const std::string& embedder,
                                                   CommandContext& context);

OrderedJson StreamJson(const MemoryStreamInfo& stream);
std::string StreamText(const MemoryStreamInfo& stream);
void ShowStreams(const StreamsReport& report, CommandContext& context);

}  // namespace anabranch::cli
