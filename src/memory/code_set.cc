#include "memory/code_set.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "memory/vector_code.h"

namespace anabranch {
namespace {

// A block is a huge page: one thread reads twice as fast from those (kernels/simd/memory.h). The
// first blocks are left to the system, which takes what is used of them: most streams are short.
constexpr size_t kBlockBytes = size_t{2} << 20;
constexpr size_t kSmallBlocks = 4;
constexpr size_t kRowExtra = 2 * sizeof(float) + sizeof(uint32_t);

}  // namespace

void CodeSet::Free::operator()(std::byte* memory) const { std::free(memory); }

CodeSet::CodeSet(int32_t width)
    : width_(width),
      stride_(CodeStride(width)),
      block_rows_(static_cast<int32_t>(kBlockBytes / (static_cast<size_t>(stride_) + kRowExtra))) {}

void CodeSet::AddBlock() {
  Block block;
  block.memory.reset(static_cast<std::byte*>(std::aligned_alloc(kBlockBytes, kBlockBytes)));
  ANABRANCH_CHECK(block.memory != nullptr);
  if (blocks_.size() >= kSmallBlocks) {
    madvise(block.memory.get(), kBlockBytes, MADV_HUGEPAGE);  // advice: may be refused
  }
  const auto rows = static_cast<size_t>(block_rows_);
  std::byte* end_of_codes = block.memory.get() + rows * static_cast<size_t>(stride_);
  block.scales = reinterpret_cast<float*>(end_of_codes);
  block.errors = block.scales + rows;
  block.units = reinterpret_cast<uint32_t*>(block.errors + rows);
  codes_.push_back({reinterpret_cast<unsigned char*>(block.memory.get())});
  blocks_.push_back(std::move(block));
}

void CodeSet::Add(int64_t unit, std::span<const std::byte> code) {
  ANABRANCH_CHECK(code.size() == CodeBytes(width_));
  ANABRANCH_CHECK(unit <= std::numeric_limits<uint32_t>::max());
  ANABRANCH_CHECK(size_ == 0 || this->unit(size_ - 1) < unit);
  if (size_ % block_rows_ == 0) AddBlock();
  Block& block = blocks_.back();
  const auto row = static_cast<size_t>(size_ % block_rows_);
  const auto width = static_cast<size_t>(width_), stride = static_cast<size_t>(stride_);
  std::byte* codes = block.memory.get() + row * stride;
  std::memcpy(codes, code.data(), width);
  std::memset(codes + width, 0, stride - width);
  std::memcpy(block.scales + row, code.data() + width, sizeof(float));
  std::memcpy(block.errors + row, code.data() + width + sizeof(float), sizeof(float));
  block.units[row] = static_cast<uint32_t>(unit);
  ++size_;
}

int64_t CodeSet::CountBelow(int64_t unit_number) const {
  int64_t first = 0;
  for (int64_t n = size_; n > 0;) {
    const int64_t half = n / 2;
    if (unit(first + half) < unit_number) {
      first += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return first;
}

CodeSet::Rest CodeSet::RestOf(int64_t begin) const {
  ANABRANCH_CHECK(begin % block_rows_ == 0 && begin < size_);
  const Block& block = At(begin);
  return {block.scales, block.errors, block.units, std::min<int64_t>(block_rows_, size_ - begin)};
}

CodeRows CodeSet::Rows(int64_t begin, int64_t end) const {
  ANABRANCH_CHECK(begin % block_rows_ == 0 && begin <= end && end <= size_);
  return {codes_.data() + begin / block_rows_, end - begin, block_rows_, stride_};
}

}  // namespace anabranch
