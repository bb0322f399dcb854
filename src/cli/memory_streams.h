// What the commands of `memory` share: the memory itself, and how its streams are shown.
#pragma once

#include <memory>
#include <string>

#include "anabranch/engine.h"
#include "cli/context.h"
#include "cli/json_output.h"
#include "cli/options.h"

namespace anabranch::cli {

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
