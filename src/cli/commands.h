// The program, but for its process: what main hands to it.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"

namespace anabranch::cli {

// Declares every command.
void AddCommands(CommandLine& line);

// Runs the command that `args` (without the program's name) ask for and gives the exit code.
int RunCommand(const std::vector<std::string>& args, const Environment& env, Terminal& terminal,
               std::atomic<bool>* cancel, bool stdin_is_terminal);

}  // namespace anabranch::cli
