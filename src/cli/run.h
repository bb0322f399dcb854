// run: answers the turns of a conversation, or reads a text and answers a prompt.
#pragma once

#include <string>

#include "cli/command_line.h"
#include "cli/opening.h"

namespace anabranch::cli {

struct RunOptions {
  DialogueFlags dialogue;
  InputFlags input;
  std::string answer = "every";
  bool interactive = false;
};

// Declares the options of run; `options` must outlive the app.
void AddRunOptions(CommandLine& line, CLI::App& app, RunOptions& options);
void AddRunCommand(CommandLine& line);
int Run(const RunOptions& options, CommandContext& context);

}  // namespace anabranch::cli
