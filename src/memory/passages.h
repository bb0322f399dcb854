// Which units are handed over together.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "memory/rank.h"
#include "memory/unit.h"

namespace anabranch {

// Units [first, last] of one run.
struct PassagePlan {
  int64_t first = 0, last = 0;
  Hit hit;          // the best of its hits
  StreamSpan span;  // its tokens, cut when the first unit alone exceeds recall_tokens
};

struct PassageLimits {
  int32_t chunk_size = 40;      // tokens of a passage of several units
  int32_t recall_tokens = 400;  // of all
  bool neighbours = true;
  bool unfinished = true;  // the rest of a sentence that a turn's border cuts comes along
};

struct PassageUnits {
  int64_t size = 0;
  std::function<const UnitRow&(int64_t)> row;
  std::function<bool(int64_t)> allowed;     // may be handed over
  std::function<bool(int64_t)> unfinished;  // its last sentence is not whole
};

// Takes hits in their order, each with its neighbours of the same run, those behind and before in
// turns, up to chunk_size; a unit that is longer alone is taken whole. A hit at the border of its
// run whose sentence goes on beyond it brings the nearest unit of the same role there along.
// Passages that touch are joined where chunk_size allows. Result: in stream order, disjoint, within
// the limits.
std::vector<PassagePlan> PlanPassages(std::span<const Hit> hits, const PassageUnits& units,
                                      const PassageLimits& limits);

}  // namespace anabranch
