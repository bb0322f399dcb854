#include "cli/feed.h"

#include <vector>

namespace anabranch::cli {
namespace {

// Holds a user turn back until what follows it tells whether it is to be answered.
class Feeder {
 public:
  Feeder(AnswerWhich which, const TurnSink& sink) : which_(which), sink_(sink) {}

  Result<void> Add(Turn turn) {
    if (which_ == AnswerWhich::kNone) return sink_.read(turn);
    // A system turn after the user turn that may be the last waits with it.
    if (turn.role == Role::kSystem && (held_.empty() || which_ == AnswerWhich::kLast)) {
      if (held_.empty()) return sink_.read(turn);
      held_.push_back(std::move(turn));
      return {};
    }
    const bool answer = turn.role != Role::kAssistant && which_ == AnswerWhich::kEvery;
    Result<void> released = Release(answer);
    if (!released) return released;
    if (turn.role != Role::kUser) return sink_.read(turn);
    held_.push_back(std::move(turn));
    return {};
  }

  Result<void> End() { return Release(true); }

 private:
  Result<void> Release(bool answer) {
    std::vector<Turn> turns;
    turns.swap(held_);
    for (const Turn& turn : turns) {
      Result<void> done =
          answer && turn.role == Role::kUser ? sink_.answer(turn) : sink_.read(turn);
      if (!done) return done;
    }
    return {};
  }

  AnswerWhich which_;
  const TurnSink& sink_;
  std::vector<Turn> held_;  // empty, or a user turn and system turns behind it
};

}  // namespace

Result<void> FeedTurns(std::optional<Turn> first, ConversationReader& reader, AnswerWhich which,
                       const TurnSink& sink) {
  Feeder feeder(which, sink);
  std::optional<Turn> turn = std::move(first);
  while (turn) {
    Result<void> added = feeder.Add(*std::move(turn));
    if (!added) return added;
    Result<std::optional<Turn>> next = reader.Next();
    if (!next) return tl::unexpected(next.error());
    turn = *std::move(next);
  }
  return feeder.End();
}

}  // namespace anabranch::cli
