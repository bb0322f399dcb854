// The context of one stream as positions and slots: pinned | recalled | history | turn.
//
// Invariants (CheckInvariants):
//  - next() only grows, by what was committed; a plan that is not committed changes nothing.
//  - Row i of the stream sees [first, min(i+1, pinned_end)) and
//    [max(pinned_end, i - recent_size + 1), i + 1), where first is the stream's first position and
//    pinned_end = first + n_pinned; and, when i >= pinned_end, all recalled rows. What SkipTo left
//    out it does not see.
//  - The slots of what a row sees are never the slots that its own batch writes: the ring holds
//    recent_size + max_batch + 64 positions, rounded up to 64.
//  - split() >= pinned_end whenever text is recalled.
//
// Formulas: docs/architecture.md. Threads: one at a time.
#pragma once

#include <cstdint>

#include "anabranch/types.h"
#include "kv/step_plan.h"

namespace anabranch {

struct KvSizes {
  int64_t n_pinned = 4;        // sinks, or the kept prefix
  int64_t recent_size = 4096;  // >= 1, the current token included
  int32_t max_batch = 512;     // rows of a step
  int64_t recall_slots = 0;    // recalled text, with its template tokens
  StreamPos first{0};          // position of the stream's first token (tests start at 2^40)
};

class KvContext {
 public:
  static constexpr int32_t kMaxBands = 4;     // pinned, recalled, history, turn
  static constexpr int32_t kMaxSegments = 6;  // history and turn may each wrap in the ring

  explicit KvContext(const KvSizes& sizes);

  // Slots that a KvArena of this context needs: pinned, then ring, then recalled text, each
  // rounded up to kKeyBlock so that no block of keys lies in two of them.
  static constexpr int64_t kKeyBlock = 64;
  static int64_t Slots(const KvSizes& sizes);

  const KvSizes& sizes() const { return sizes_; }
  StreamPos next() const { return next_; }  // the position to be given next
  StreamPos pinned_end() const;             // min(next, first + n_pinned)
  StreamPos window_begin() const;           // oldest position that the last row sees
  StreamPos skipped_to() const { return skipped_to_; }
  bool has_recalled() const { return n_recalled_ > 0; }
  int64_t n_recalled() const { return n_recalled_; }
  StreamPos split() const { return split_; }

  // Plans the next n <= max_batch stream tokens / makes them part of the stream.
  void PlanStream(int32_t n, StepPlan* plan) const;
  void CommitStream(int32_t n);
  // The next token gets position `pos` >= next(); what lies between is not there, as if it had been
  // evicted. The pinned part must be full, the window empty.
  void SkipTo(StreamPos pos);

  // Recalled text: opened at next(), which becomes the split and must be >= first + n_pinned; then
  // planned and committed in batches, at most recall_slots rows in all. Row j sees pinned, the last
  // recent_size stream positions before the split, and recalled rows <= j.
  void OpenRecalled();
  void PlanRecalled(int32_t n, StepPlan* plan) const;
  void CommitRecalled(int32_t n);
  // The recalled segment leaves the context, if there is one. O(1): no other key changes.
  void Retract();

  void CheckInvariants() const;

 private:
  int64_t first() const { return sizes_.first.value(); }
  int64_t pinned_limit() const { return first() + sizes_.n_pinned; }
  // The oldest window position that the row at `pos` sees; pos + 1 if it sees none.
  int64_t WindowBegin(int64_t pos) const;
  int32_t StreamSlot(int64_t pos) const;
  void AddPinned(int64_t end, StepPlan* plan) const;
  // Window positions [begin, end) as one or two segments of a band.
  void AddRing(int64_t begin, int64_t end, int32_t band, StepPlan* plan) const;
  void AddRecalled(int64_t n, StepPlan* plan) const;

  KvSizes sizes_;
  StreamPos next_;
  StreamPos skipped_to_{0};  // no window begins before it
  StreamPos split_{0};
  bool recall_open_ = false;
  int64_t n_recalled_ = 0;
};

}  // namespace anabranch
