// The command `memory reindex`.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddMemoryIndex(CommandLine& line, CLI::App& group);

}  // namespace anabranch::cli
