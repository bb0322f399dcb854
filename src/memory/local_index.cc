#include "memory/local_index.h"

#include <algorithm>

namespace anabranch {

Result<std::vector<std::vector<DenseHit>>> LocalIndex::Nearest(std::span<const float> queries,
                                                               size_t k, const UnitFilter& filter) {
  const auto width = static_cast<size_t>(embedder_.width);
  std::vector<std::vector<DenseHit>> nearest;
  for (size_t q = 0; q < queries.size(); q += width) {
    const std::vector<float> scores = view_.Scores(embedder_.scan, queries.subspan(q, width));
    std::vector<DenseHit> hits;
    for (int64_t unit = 0; unit < view_.size(); ++unit) {
      const UnitRow& row = view_.row(unit);
      if (row.question != filter.questions || row.span.end > filter.before) continue;
      hits.push_back({unit, scores[static_cast<size_t>(unit)]});
    }
    const size_t n = std::min(k, hits.size());
    std::partial_sort(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(n), hits.end(), IsNearer);
    hits.resize(n);
    nearest.push_back(std::move(hits));
  }
  return nearest;
}

Result<std::vector<float>> LocalIndex::Cosines(std::span<const int64_t> units,
                                               std::span<const float> queries) {
  std::vector<float> cosines;
  const auto width = static_cast<size_t>(embedder_.width);
  for (const int64_t unit : units) {
    for (size_t q = 0; q < queries.size(); q += width) {
      float cosine = 0;
      embedder_.scan(view_.vector(unit), queries.subspan(q, width), {&cosine, 1});
      cosines.push_back(cosine);
    }
  }
  return cosines;
}

}  // namespace anabranch
