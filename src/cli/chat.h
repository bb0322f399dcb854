// chat: a dialogue at the terminal, or line by line through a pipe.
#pragma once

#include "cli/command_line.h"
#include "cli/opening.h"

namespace anabranch::cli {

struct ChatOptions {
  DialogueFlags dialogue;
  InputFlags input;  // read first; a prompt is answered as the first turn
};

void AddChatCommand(CommandLine& line);
int Chat(const ChatOptions& options, CommandContext& context);

}  // namespace anabranch::cli
