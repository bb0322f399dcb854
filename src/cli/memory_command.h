// memory: list, search, show, forget, verify on a memory.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddMemoryCommand(CommandLine& line);

}  // namespace anabranch::cli
