// perplexity: how well the model predicts a text that it reads through a window.
#pragma once

#include "cli/command_line.h"

namespace anabranch::cli {

void AddPerplexityCommand(CommandLine& line);

}  // namespace anabranch::cli
