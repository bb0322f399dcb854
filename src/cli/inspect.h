// inspect: what a model file holds, and the memory plan of a stream on it.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddInspectCommand(CommandLine& line);

}  // namespace anabranch::cli
