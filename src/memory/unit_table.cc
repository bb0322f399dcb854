#include "memory/unit_table.h"

#include <algorithm>

namespace anabranch {

void UnitTable::Add(const UnitRow& row, std::span<const std::byte> code) {
  const int64_t i = size();
  here_.push_back(!code.empty());
  if (code.empty()) {
    last_elsewhere_ = i;
  } else {
    (row.question ? questions_ : statements_).Add(i, code);
  }
  if (keys_ascend_ && i > 0 && row.key <= rows_.back().key) {
    // A text that was cut again: from here on keys are looked up.
    keys_ascend_ = false;
    for (int64_t r = 0; r < i; ++r) key_index_.emplace_back(this->row(r).key, r);
  }
  if (!keys_ascend_) {
    const std::pair<int64_t, int64_t> entry(row.key, i);
    key_index_.insert(std::upper_bound(key_index_.begin(), key_index_.end(), entry), entry);
  }
  rows_.push_back(row);
}

int64_t UnitTable::Find(int64_t key) const {
  if (!keys_ascend_) {
    const auto entry =
        std::lower_bound(key_index_.begin(), key_index_.end(), std::pair<int64_t, int64_t>(key, 0));
    return entry == key_index_.end() || entry->first != key ? -1 : entry->second;
  }
  if (rows_.empty() || key < rows_.front().key) return -1;
  // Keys of a stream that is alone count on without a gap.
  const int64_t guess = key - rows_.front().key;
  if (rows_.back().key - rows_.front().key == size() - 1) return guess < size() ? guess : -1;
  const auto found = std::lower_bound(rows_.begin(), rows_.end(), key,
                                      [](const UnitRow& r, int64_t k) { return r.key < k; });
  return found == rows_.end() || found->key != key ? -1 : found - rows_.begin();
}

int64_t UnitTable::CountUpTo(StreamPos end) const {
  return std::partition_point(rows_.begin(), rows_.end(),
                              [&](const UnitRow& r) { return r.span.end <= end; }) -
         rows_.begin();
}

}  // namespace anabranch
