// bench embedder: how fast texts are embedded.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

// `bench`: the group's command.
void AddBenchEmbedderCommand(CommandLine& line, CLI::App& bench);

}  // namespace anabranch::cli
