#include "kv/kv_context.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace anabranch {
namespace {

// Bands of a plan. Without recalled text the window is one band, and there is no turn.
constexpr int32_t kPinned = 0, kWindow = 1, kRecalled = 2, kTurn = 3;

// A batch never overwrites what its rows see, nor what a stream taken back by one batch sees.
constexpr int64_t kRingSlack = 64;

int64_t RoundUp(int64_t n) {
  constexpr int64_t kBlock = KvContext::kKeyBlock;
  return (n + kBlock - 1) / kBlock * kBlock;
}

int64_t RingSize(const KvSizes& sizes) {
  return RoundUp(sizes.recent_size + sizes.max_batch + kRingSlack);
}

int64_t RingSlot(const KvSizes& sizes) { return RoundUp(sizes.n_pinned); }

int64_t RecalledSlot(const KvSizes& sizes) { return RingSlot(sizes) + RingSize(sizes); }

}  // namespace

KvContext::KvContext(const KvSizes& sizes) : sizes_(sizes), next_(sizes.first) {
  constexpr int64_t kMaxSize = std::numeric_limits<int32_t>::max() / 4;  // of each: slots fit int32
  ANABRANCH_CHECK(sizes.n_pinned >= 0 && sizes.n_pinned <= kMaxSize);
  ANABRANCH_CHECK(sizes.recent_size >= 1 && sizes.recent_size <= kMaxSize);
  ANABRANCH_CHECK(sizes.max_batch >= 1 && sizes.max_batch <= kMaxSize / 2);
  ANABRANCH_CHECK(sizes.recall_slots >= 0 && sizes.recall_slots <= kMaxSize);
  ANABRANCH_CHECK(sizes.first.value() >= 0);
}

int64_t KvContext::Slots(const KvSizes& sizes) {
  return RecalledSlot(sizes) + RoundUp(sizes.recall_slots);
}

StreamPos KvContext::pinned_end() const { return std::min(next_, StreamPos(pinned_limit())); }

StreamPos KvContext::window_begin() const { return StreamPos(WindowBegin(next_.value() - 1)); }

int64_t KvContext::WindowBegin(int64_t pos) const {
  return std::min(pos + 1,
                  std::max({pinned_limit(), skipped_to_.value(), pos + 1 - sizes_.recent_size}));
}

int32_t KvContext::StreamSlot(int64_t pos) const {
  const int64_t slot = pos < pinned_limit()
                           ? pos - first()
                           : RingSlot(sizes_) + (pos - pinned_limit()) % RingSize(sizes_);
  return static_cast<int32_t>(slot);
}

void KvContext::AddPinned(int64_t end, StepPlan* plan) const {
  if (end <= first()) return;
  plan->segments.push_back({.base = first(),
                            .slot = StreamSlot(first()),
                            .n = static_cast<int32_t>(end - first()),
                            .offset = 0,
                            .band = kPinned});
}

void KvContext::AddRing(int64_t begin, int64_t end, int32_t band, StepPlan* plan) const {
  const int64_t ring_end = RecalledSlot(sizes_);
  for (int64_t pos = begin; pos < end;) {
    const int32_t slot = StreamSlot(pos);
    const auto n = static_cast<int32_t>(std::min(end - pos, ring_end - slot));
    plan->segments.push_back({.base = pos,
                              .slot = slot,
                              .n = n,
                              .offset = static_cast<int32_t>(pos - begin),
                              .band = band});
    pos += n;
  }
}

void KvContext::AddRecalled(int64_t n, StepPlan* plan) const {
  plan->segments.push_back({.base = 0,
                            .slot = static_cast<int32_t>(RecalledSlot(sizes_)),
                            .n = static_cast<int32_t>(n),
                            .offset = 0,
                            .band = kRecalled});
}

// A row's delta puts its query at p = base + delta - offset, with base - offset the same for all
// segments of a band. Below, p is written out per band and that common part taken off.
void KvContext::PlanStream(int32_t n, StepPlan* plan) const {
  ANABRANCH_CHECK(n >= 1 && n <= sizes_.max_batch);
  const bool recalled = has_recalled();
  plan->Begin(n, recalled ? 4 : 2);

  const int64_t begin = next_.value(), end = begin + n;
  const int64_t window = std::max(pinned_limit(), WindowBegin(begin));  // what the first row sees
  const int64_t turn = recalled ? std::max(window, split_.value()) : window;
  AddPinned(std::min(end, pinned_limit()), plan);
  if (recalled) {
    AddRing(window, turn, kWindow, plan);
    AddRecalled(n_recalled_, plan);
    AddRing(turn, end, kTurn, plan);
  } else {
    AddRing(window, end, kWindow, plan);
  }

  for (int32_t r = 0; r < n; ++r) {
    const int64_t pos = begin + r;
    plan->stored_pos[static_cast<size_t>(r)] = pos;
    plan->slots[static_cast<size_t>(r)] = StreamSlot(pos);
    const int64_t pinned_hi = std::min(pos + 1, pinned_limit());
    const int64_t window_lo = WindowBegin(pos);
    const int64_t n_seen = pinned_hi - first() + n_recalled_ + (pos + 1 - window_lo);
    plan->At(kPinned, r) = {.delta = n_seen - 1, .lo = first(), .hi = pinned_hi};
    if (!recalled) {
      plan->At(kWindow, r) = {.delta = pos - window, .lo = window_lo, .hi = pos + 1};
      continue;
    }
    const int64_t turn_lo = std::max(window_lo, split_.value());
    plan->At(kWindow, r) = {
        .delta = pos + n_recalled_ - window, .lo = window_lo, .hi = split_.value()};
    plan->At(kRecalled, r) = {.delta = n_recalled_ + pos - turn_lo, .lo = 0, .hi = n_recalled_};
    plan->At(kTurn, r) = {.delta = pos - turn, .lo = turn_lo, .hi = pos + 1};
  }
}

void KvContext::CommitStream(int32_t n) {
  ANABRANCH_CHECK(n >= 1 && n <= sizes_.max_batch);
  next_ += n;
  CheckInvariants();
}

void KvContext::SkipTo(StreamPos pos) {
  ANABRANCH_CHECK(next_.value() == pinned_limit() && pos >= next_ && !recall_open_);
  next_ = skipped_to_ = pos;
  CheckInvariants();
}

void KvContext::OpenRecalled() {
  ANABRANCH_CHECK(!recall_open_);
  ANABRANCH_CHECK(next_.value() >= pinned_limit());
  recall_open_ = true;
  split_ = next_;
}

void KvContext::PlanRecalled(int32_t n, StepPlan* plan) const {
  ANABRANCH_CHECK(recall_open_ && next_ == split_);
  ANABRANCH_CHECK(n >= 1 && n <= sizes_.max_batch && n_recalled_ + n <= sizes_.recall_slots);
  plan->Begin(n, 3);

  const int64_t split = split_.value(), history = window_begin().value();
  AddPinned(pinned_limit(), plan);
  AddRing(history, split, kWindow, plan);
  AddRecalled(n_recalled_ + n, plan);

  for (int32_t r = 0; r < n; ++r) {
    const int64_t pos = n_recalled_ + r;
    plan->stored_pos[static_cast<size_t>(r)] = pos;
    plan->slots[static_cast<size_t>(r)] = static_cast<int32_t>(RecalledSlot(sizes_) + pos);
    plan->At(kPinned, r) = {
        .delta = sizes_.n_pinned + (split - history) + pos, .lo = first(), .hi = pinned_limit()};
    plan->At(kWindow, r) = {.delta = split - history + pos, .lo = history, .hi = split};
    plan->At(kRecalled, r) = {.delta = pos, .lo = 0, .hi = pos + 1};
  }
}

void KvContext::CommitRecalled(int32_t n) {
  ANABRANCH_CHECK(recall_open_ && next_ == split_);
  ANABRANCH_CHECK(n >= 1);
  n_recalled_ += n;
  CheckInvariants();
}

void KvContext::Retract() {
  recall_open_ = false;
  n_recalled_ = 0;
}

void KvContext::CheckInvariants() const {
  ANABRANCH_CHECK(next_ >= sizes_.first);
  ANABRANCH_CHECK(n_recalled_ >= 0 && n_recalled_ <= sizes_.recall_slots);
  ANABRANCH_CHECK(n_recalled_ == 0 || recall_open_);
  ANABRANCH_CHECK(!recall_open_ || (split_.value() >= pinned_limit() && split_ <= next_));
  const int64_t window = next_ - window_begin();
  ANABRANCH_CHECK(window >= 0 && window <= sizes_.recent_size);
  ANABRANCH_CHECK(window + sizes_.max_batch < RingSize(sizes_));
}

}  // namespace anabranch
