// Codes of units in RAM, as the scan reads them: width + 12 bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/plan.h"

namespace anabranch {

// Bytes from one code to the next.
inline int32_t CodeStride(int32_t width) {
  return (width + kCodeAlign - 1) / kCodeAlign * kCodeAlign;
}

// Invariants: units ascend; a code is never moved.
class CodeSet {
 public:
  explicit CodeSet(int32_t width);

  int64_t size() const { return size_; }
  // Adds the code (EncodeVector) of a unit behind all others.
  void Add(int64_t unit, std::span<const std::byte> code);

  int64_t unit(int64_t i) const { return At(i).units[i % block_rows_]; }
  // What belongs to each code of a block.
  struct Rest {
    const float* scales;
    const float* errors;
    const uint32_t* units;
    int64_t n;
  };
  // From the code `begin`, which is a multiple of block_rows, to the end of its block or of the
  // set.
  Rest RestOf(int64_t begin) const;
  // How many of the units are less than `unit`.
  int64_t CountBelow(int64_t unit) const;

  // Rows that are scanned together: small enough for their dots to stay in a cache.
  int64_t segment_rows() const { return kSegmentBlocks * int64_t{block_rows_}; }
  // Codes [begin, end), at most segment_rows of them; begin is a multiple of segment_rows.
  CodeRows Rows(int64_t begin, int64_t end) const;

 private:
  static constexpr int64_t kSegmentBlocks = 32;
  struct Free {
    void operator()(std::byte* memory) const;
  };
  // One allocation: codes, then scales, errors and units.
  struct Block {
    std::unique_ptr<std::byte, Free> memory;
    float* scales = nullptr;
    float* errors = nullptr;
    uint32_t* units = nullptr;
  };
  const Block& At(int64_t i) const { return blocks_[static_cast<size_t>(i / block_rows_)]; }
  void AddBlock();

  int32_t width_, stride_, block_rows_;
  int64_t size_ = 0;
  std::vector<Block> blocks_;
  std::vector<DevPtr> codes_;  // of the blocks
};

}  // namespace anabranch
