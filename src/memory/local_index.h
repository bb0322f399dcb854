// The dense index of vectors that are here: exact.
#pragma once

#include <vector>

#include "memory/dense_index.h"
#include "memory/index_layer.h"
#include "memory/memory.h"

namespace anabranch {

class LocalIndex final : public DenseIndex {
 public:
  // Both must outlive it.
  LocalIndex(const UnitView& view, const EmbedderHandle& embedder)
      : view_(view), embedder_(embedder) {}

  Result<std::vector<std::vector<DenseHit>>> Nearest(std::span<const float> queries, size_t k,
                                                     const UnitFilter& filter) override;
  Result<std::vector<float>> Cosines(std::span<const int64_t> units,
                                     std::span<const float> queries) override;

 private:
  const UnitView& view_;
  const EmbedderHandle& embedder_;
};

}  // namespace anabranch
