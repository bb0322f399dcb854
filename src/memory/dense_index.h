// The dense part of an index behind recall: which units are close to a query, by cosine. Units go
// by their numbers in the UnitView that recall looks at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "memory/remote_store.h"

namespace anabranch {

struct DenseHit {
  int64_t unit = 0;
  float cosine = 0;
};

// The order of hits: by cosine, of equal ones the earlier unit.
inline bool IsNearer(const DenseHit& a, const DenseHit& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.unit < b.unit;
}

class DenseIndex {
 public:
  virtual ~DenseIndex() = default;

  // Of each query [n, width] (unit length) the best k units that pass the filter, in the
  // order of IsNearer; fewer only if there are not so many. Threads: one at a time.
  virtual Result<std::vector<std::vector<DenseHit>>> Nearest(std::span<const float> queries,
                                                             size_t k,
                                                             const UnitFilter& filter) = 0;
  // Cosines of units, whether they only ask or not, with queries: [units, n].
  virtual Result<std::vector<float>> Cosines(std::span<const int64_t> units,
                                             std::span<const float> queries) = 0;
};

}  // namespace anabranch
