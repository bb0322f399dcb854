// tokenize: text to ids and back.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddTokenizeCommand(CommandLine& line);

}  // namespace anabranch::cli
