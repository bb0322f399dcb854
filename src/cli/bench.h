// bench: prefill and decode speed with a full window.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddBenchCommand(CommandLine& line);

}  // namespace anabranch::cli
