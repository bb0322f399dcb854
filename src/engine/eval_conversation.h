// A conversation with questions to it, as eval/make_conversations.py writes it.
#pragma once

#include <string>
#include <vector>

#include "anabranch/types.h"
#include "base/result.h"

namespace anabranch {

struct EvalMessage {
  Role role = Role::kUser;
  std::string content;
  int64_t time_ms = 0;
};

struct EvalQuestion {
  std::string id, kind;
  std::vector<std::string> traits;
  std::string previous, turn;  // the user turn before, and the one that asks
  // A passage that holds all texts of a group answers; of several groups the newest last.
  std::vector<std::vector<std::string>> evidence;
};

struct EvalConversation {
  std::string name;
  std::vector<EvalMessage> messages;
  std::vector<EvalQuestion> questions;
};

// Errors: kIo; kCorrupt: it is not such a file.
Result<EvalConversation> ReadEvalConversation(const std::string& path);

// True of a text in which `words` stands, not as a part of longer words.
bool HoldsWords(std::string_view text, std::string_view words);

}  // namespace anabranch
