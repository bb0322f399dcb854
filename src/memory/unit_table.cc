#include "memory/unit_table.h"

#include <algorithm>

#include "base/check.h"

namespace anabranch {

std::span<const float> UnitTable::vector(int64_t i) const {
  const auto width = static_cast<size_t>(width_);
  return {blocks_[static_cast<size_t>(i / kBlock)].get() + static_cast<size_t>(i % kBlock) * width,
          width};
}

void UnitTable::Add(const UnitRow& row, std::span<const float> vector) {
  ANABRANCH_CHECK(static_cast<int64_t>(vector.size()) == width_);
  const int64_t i = size();
  if (i % kBlock == 0) {
    blocks_.push_back(std::make_unique<float[]>(static_cast<size_t>(kBlock * width_)));
  }
  std::copy(vector.begin(), vector.end(),
            blocks_.back().get() + static_cast<size_t>(i % kBlock * width_));
  rows_.push_back(row);
  const std::pair<int64_t, int64_t> entry(row.key, i);
  key_index_.insert(std::upper_bound(key_index_.begin(), key_index_.end(), entry), entry);
}

int64_t UnitTable::Find(int64_t key) const {
  const auto entry =
      std::lower_bound(key_index_.begin(), key_index_.end(), std::pair<int64_t, int64_t>(key, 0));
  return entry == key_index_.end() || entry->first != key ? -1 : entry->second;
}

void UnitTable::Scan(const ScanFn& scan, std::span<const float> query,
                     std::span<float> scores) const {
  for (int64_t i = 0; i < size(); i += kBlock) {
    const auto n = static_cast<size_t>(std::min(kBlock, size() - i));
    scan({blocks_[static_cast<size_t>(i / kBlock)].get(), n * static_cast<size_t>(width_)}, query,
         scores.subspan(static_cast<size_t>(i), n));
  }
}

}  // namespace anabranch
