// completion: what a shell needs to complete anabranch's commands and options.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace anabranch::cli {

enum class Shell { kBash, kZsh, kFish };

// A script for the shell that completes the commands and options of `app`.
std::string CompletionScript(const CLI::App& app, Shell shell);

void AddCompletionCommand(CommandLine& line);

}  // namespace anabranch::cli
