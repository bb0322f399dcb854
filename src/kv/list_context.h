// For tests: what a context is, said the slow way. An explicit ordered list of entries, from which
// one leaves when the window is full; an entry's virtual position is its place in the list.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace anabranch {

// One computed token. `row` counts all tokens ever computed, of stream and recalled text alike.
struct ListEntry {
  int64_t row = 0, stored = 0;
};

class ListContext {
 public:
  ListContext(int64_t n_pinned, int64_t recent_size, int64_t first)
      : n_pinned_(static_cast<size_t>(n_pinned)),
        recent_size_(static_cast<size_t>(recent_size)),
        next_(first) {}

  // The entries that the next stream token attends to, in virtual order; the last is its own.
  std::vector<ListEntry> AddStream() {
    const ListEntry entry{n_rows_++, next_++};
    if (pinned_.size() < n_pinned_) {
      pinned_.push_back(entry);
    } else {
      turn_.push_back(entry);
      if (history_.size() + turn_.size() > recent_size_) {
        std::vector<ListEntry>& oldest = history_.empty() ? turn_ : history_;
        oldest.erase(oldest.begin());
      }
    }
    return All();
  }
  std::vector<ListEntry> AddRecalled() {
    recalled_.push_back({n_rows_++, static_cast<int64_t>(recalled_.size())});
    return All();
  }
  // From here on recalled text may be added: all of the window is history.
  void Split() {
    history_.insert(history_.end(), turn_.begin(), turn_.end());
    turn_.clear();
  }
  void Retract() { recalled_.clear(); }
  size_t n_recalled() const { return recalled_.size(); }

 private:
  std::vector<ListEntry> All() const {
    std::vector<ListEntry> all = pinned_;
    for (const auto* part : {&history_, &recalled_, &turn_}) {
      all.insert(all.end(), part->begin(), part->end());
    }
    return all;
  }

  size_t n_pinned_, recent_size_;
  int64_t next_, n_rows_ = 0;
  std::vector<ListEntry> pinned_, history_, recalled_, turn_;
};

}  // namespace anabranch
