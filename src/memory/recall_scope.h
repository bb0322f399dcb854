// What a recall may hand over: all that was said but the current turn, and where the mode says so
// only what has left the context.
#pragma once

#include <algorithm>

#include "memory/memory.h"

namespace anabranch {

class RecallScope {
 public:
  explicit RecallScope(const RecallQuery& query)
      : evicted_only_(query.mode == RecallMode::kEvicted),
        pinned_(query.pinned),
        window_begin_(query.window_begin),
        exclude_(query.exclude) {}

  // True of a unit that may be handed over: in part or whole, it is out of the context.
  bool Allows(const StreamSpan& unit) const {
    if (unit.Overlaps(exclude_)) return false;
    if (!evicted_only_) return true;
    return unit.begin < pinned_.begin ||
           std::max(unit.begin, pinned_.end) < std::min(unit.end, window_begin_);
  }
  // True of a unit at and behind which nothing is allowed.
  bool IsBeyond(const StreamSpan& unit) const {
    return evicted_only_ && unit.begin >= std::max(pinned_.begin, window_begin_);
  }

 private:
  bool evicted_only_;
  StreamSpan pinned_;
  StreamPos window_begin_;
  StreamSpan exclude_;
};

}  // namespace anabranch
