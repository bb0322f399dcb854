// Units in RAM: their rows, and the codes of those whose vectors are here, for the scan. With
// MiniLM's 384 numbers some 460 bytes each.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "memory/code_set.h"
#include "memory/unit.h"

namespace anabranch {

// Invariant: rows are in stream order.
class UnitTable {
 public:
  explicit UnitTable(int32_t width) : statements_(width), questions_(width) {}

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  const UnitRow& row(int64_t i) const { return rows_[static_cast<size_t>(i)]; }
  // Adds a unit behind all others. code: EncodeVector of its vector; empty: that is not here.
  void Add(const UnitRow& row, std::span<const std::byte> code);
  // True if the code of a unit is here.
  bool IsHere(int64_t i) const { return here_[static_cast<size_t>(i)]; }
  // The last unit whose code is not here; -1: none.
  int64_t last_elsewhere() const { return last_elsewhere_; }
  // The row with a key in the store; -1: none.
  int64_t Find(int64_t key) const;
  // How many units, from the first on, end at or before a position.
  int64_t CountUpTo(StreamPos end) const;
  // Codes of the units that only ask, or of those that do not.
  const CodeSet& codes(bool questions) const { return questions ? questions_ : statements_; }

 private:
  std::deque<UnitRow> rows_;  // never moved, and no more of them than there are units
  CodeSet statements_, questions_;
  std::vector<bool> here_;
  int64_t last_elsewhere_ = -1;
  bool keys_ascend_ = true;
  std::vector<std::pair<int64_t, int64_t>> key_index_;  // (key, row), sorted; unless keys_ascend_
};

}  // namespace anabranch
