#include "memory/shortlist.h"

#include <algorithm>
#include <functional>

namespace anabranch {

void Shortlist::Offer(int64_t unit, float lower, float upper) {
  if (k_ == 0 || upper < floor_) return;
  entries_.push_back({unit, upper});
  lower_.push_back(lower);
  std::push_heap(lower_.begin(), lower_.end(), std::greater<>());
  if (lower_.size() > k_) {
    std::pop_heap(lower_.begin(), lower_.end(), std::greater<>());
    lower_.pop_back();
  }
  if (lower_.size() == k_) floor_ = lower_.front();
  if (entries_.size() >= prune_at_) {
    Prune();
    prune_at_ = 2 * entries_.size() + kPrune;
  }
}

void Shortlist::Prune() {
  std::erase_if(entries_, [this](const Entry& entry) { return entry.upper < floor_; });
}

std::vector<Shortlist::Entry> Shortlist::Take() {
  Prune();
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.upper > b.upper; });
  return std::move(entries_);
}

}  // namespace anabranch
