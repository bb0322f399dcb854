// bench memory: how fast a memory of a size is, on each store.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

// `bench`: the group's command.
void AddBenchMemoryCommand(CommandLine& line, CLI::App& bench);

}  // namespace anabranch::cli
