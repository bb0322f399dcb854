// What a user turn asks of memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "memory/recall_policy.h"
#include "text/cutter.h"

namespace anabranch {

struct Query {
  std::string text;
  float weight = 1;    // in the fusion of rankings
  bool leans = false;  // asked with the previous turn: asks nothing where the turn does not
};

// The turn's last sentence and each of its other questions, the latest first, in max_pieces in
// all; of a turn without a question its last sentences together as well. A question that leans on
// what was said before ("When was he born?") is also asked with the end of the previous user turn
// before it, a short one only with a previous turn that is short as well: the end of a long text
// is rarely what it is about; alone it weighs less then, unless it names something. What asks
// nothing leans on nothing. Empty for a blank turn.
std::vector<Query> BuildQueries(std::string_view turn, std::string_view previous_user_turn,
                                const CountPieces& count, const QueryPolicy& policy = {});

}  // namespace anabranch
