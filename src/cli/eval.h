// eval: how well the parts do their work, measured.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddEvalCommand(CommandLine& line);

}  // namespace anabranch::cli
