// A conversation file on its way into a dialogue: which of its turns are read, and which answered.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/conversation.h"

namespace anabranch::cli {

enum class AnswerWhich { kEvery, kLast, kNone };

// Where turns go.
struct TurnSink {
  std::function<Result<void>(const Turn&)> read;
  std::function<Result<void>(const Turn&)> answer;
};

// Hands on `first` and the turns of `reader` in their order. kEvery: each user turn is answered,
// but one that an assistant turn of the file follows has its answer, and is read with it. kLast:
// the last user turn is answered, in the same sense, and all others are read. Stops at an error.
Result<void> FeedTurns(std::optional<Turn> first, ConversationReader& reader, AnswerWhich which,
                       const TurnSink& sink);

}  // namespace anabranch::cli
