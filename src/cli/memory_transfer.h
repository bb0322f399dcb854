// The commands `memory export` and `memory import`.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddMemoryTransfer(CommandLine& line, CLI::App& group);

}  // namespace anabranch::cli
