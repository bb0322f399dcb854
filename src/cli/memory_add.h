// `memory add`: documents into a stream.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddMemoryAdd(CommandLine& line, CLI::App& group);

}  // namespace anabranch::cli
