// The commands of a chat: /help, /stats, /recall TEXT, /forget [TEXT], /save FILE, /quit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/conversation.h"
#include "cli/dialogue.h"

namespace anabranch::cli {

// What the process took at some moment.
struct Footprint {
  int64_t resident_bytes = 0, disk_bytes = 0, tokens = 0;
};
Footprint FootprintOf(const Stream& stream);

struct ChatSession {
  Dialogue& dialogue;
  CommandContext& context;
  std::vector<Turn> transcript;  // what /save writes
  // Once the window was full, from when on nothing of the stream itself grows; growth counts from
  // here.
  std::optional<Footprint> when_full;
  int64_t forgotten = 0;  // tokens that /forget took out of the window, or that had left it then
  std::string to_forget = {};  // what the last command, a /forget TEXT, would forget
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
