// The commands of a chat: /help, /stats, /recall TEXT, /forget, /save FILE, /quit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/conversation.h"
#include "cli/dialogue.h"

namespace anabranch::cli {

struct ChatSession {
  ChatSession(Dialogue& the_dialogue, CommandContext& the_context);

  Dialogue& dialogue;
  CommandContext& context;
  std::vector<Turn> transcript;  // what /save writes
  // When the chat began, for growth.
  int64_t first_resident_bytes, first_disk_bytes, first_tokens;
};

// Unix time.
int64_t NowMs();

// One line that begins with a slash.
bool IsChatCommand(std::string_view message);
// False: the chat is to end.
Result<bool> RunChatCommand(std::string_view message, ChatSession& session);

// The seed's format, with times.
std::string TranscriptJson(const std::vector<Turn>& transcript);

}  // namespace anabranch::cli
