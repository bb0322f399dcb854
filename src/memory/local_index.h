// The dense index of vectors that are here. A scan of their codes bounds every score; what may be
// among the best is scored with the vectors themselves, so that the result is exact.
#pragma once

#include <span>
#include <vector>

#include "memory/dense_index.h"
#include "memory/index_layer.h"
#include "memory/memory.h"
#include "memory/shortlist.h"
#include "memory/vector_code.h"

namespace anabranch {

class LocalIndex final : public DenseIndex {
 public:
  // Both must outlive it. Vectors are of unit length.
  LocalIndex(const UnitView& view, const EmbedderHandle& embedder)
      : view_(view), embedder_(embedder) {}

  // Units without vectors here are none of the result.
  Result<std::vector<std::vector<DenseHit>>> Nearest(std::span<const float> queries, size_t k,
                                                     const UnitFilter& filter) override;
  // Error kCorrupt: a unit whose vector is not here.
  Result<std::vector<float>> Cosines(std::span<const int64_t> units,
                                     std::span<const float> queries) override {
    return CosinesOf(units, queries);
  }

 private:
  // Offers all units of a layer that pass.
  void Scan(size_t layer, std::span<const QueryCode> queries, const UnitFilter& filter,
            std::span<Shortlist> lists) const;
  void ScanTail(std::span<const float> query, const UnitFilter& filter, Shortlist* list) const;
  Result<std::vector<DenseHit>> Rerank(std::span<const float> query, size_t k,
                                       Shortlist* list) const;
  Result<std::vector<float>> CosinesOf(std::span<const int64_t> units,
                                       std::span<const float> queries) const;

  const UnitView& view_;
  const EmbedderHandle& embedder_;
};

}  // namespace anabranch
