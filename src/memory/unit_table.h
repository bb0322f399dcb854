// Units in RAM for the exact scan: rows and vectors, some 64 + 4 * width bytes each (1.6 kB for
// MiniLM's 384).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "memory/unit.h"

namespace anabranch {

using ScanFn = std::function<void(std::span<const float> vectors, std::span<const float> query,
                                  std::span<float> scores)>;

// Invariants: rows are in stream order; row i's vector is row i % kBlock of block i / kBlock.
class UnitTable {
 public:
  explicit UnitTable(int32_t width) : width_(width) {}

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  const UnitRow& row(int64_t i) const { return rows_[static_cast<size_t>(i)]; }
  std::span<const float> vector(int64_t i) const;
  void Add(const UnitRow& row, std::span<const float> vector);
  // The row with a key in the store; -1: none.
  int64_t Find(int64_t key) const;
  // scores[i] = vector(i) . query
  void Scan(const ScanFn& scan, std::span<const float> query, std::span<float> scores) const;

 private:
  static constexpr int64_t kBlock = 1024;  // grows by blocks: a vector is never moved
  int32_t width_;
  std::vector<UnitRow> rows_;
  std::vector<std::unique_ptr<float[]>> blocks_;
  std::vector<std::pair<int64_t, int64_t>> key_index_;  // (key, row), sorted: keys mostly ascend
};

}  // namespace anabranch
