#include "memory/local_index.h"

#include <algorithm>

namespace anabranch {
namespace {

// Scores of two unit vectors in float, however they are summed, differ by less.
constexpr float kRounding = 2e-6f;
// Shortlisted units that are scored together.
constexpr size_t kRerankBatch = 128;

}  // namespace

Result<std::vector<std::vector<DenseHit>>> LocalIndex::Nearest(std::span<const float> queries,
                                                               size_t k, const UnitFilter& filter) {
  const auto width = static_cast<size_t>(embedder_.width);
  const size_t n_queries = queries.size() / width;
  std::vector<QueryCode> codes;
  for (size_t q = 0; q < n_queries; ++q) {
    codes.push_back(EncodeQuery(queries.subspan(q * width, width)));
  }
  std::vector<Shortlist> lists(n_queries, Shortlist(k));
  for (size_t layer = 0; layer < view_.layers().size(); ++layer) {
    Scan(layer, codes, filter, lists);
  }
  std::vector<std::vector<DenseHit>> nearest;
  for (size_t q = 0; q < n_queries; ++q) {
    const auto query = queries.subspan(q * width, width);
    ScanTail(query, filter, &lists[q]);
    ASSIGN_OR_RETURN(std::vector<DenseHit> hits, Rerank(query, k, &lists[q]));
    nearest.push_back(std::move(hits));
  }
  return nearest;
}

void LocalIndex::Scan(size_t layer, std::span<const QueryCode> queries, const UnitFilter& filter,
                      std::span<Shortlist> lists) const {
  const UnitTable& table = view_.layers()[layer]->table;
  const CodeSet& set = table.codes(filter.questions);
  const int64_t n = set.CountBelow(table.CountUpTo(filter.before));
  std::vector<int16_t> query_codes;
  for (const QueryCode& query : queries) {
    query_codes.insert(query_codes.end(), query.codes.begin(), query.codes.end());
  }
  std::vector<int32_t> dots;
  for (int64_t begin = 0; begin < n; begin += set.segment_rows()) {
    const int64_t end = std::min(n, begin + set.segment_rows());
    dots.resize(queries.size() * static_cast<size_t>(end - begin));
    embedder_.scan_codes(set.Rows(begin, end), query_codes, dots);
    for (size_t q = 0; q < queries.size(); ++q) {
      const int32_t* dot = dots.data() + q * static_cast<size_t>(end - begin);
      for (int64_t block = begin; block < end;) {
        const CodeSet::Rest rest = set.RestOf(block);
        const int64_t rows = std::min(rest.n, end - block);
        for (int64_t i = 0; i < rows; ++i) {
          const float score = rest.scales[i] * queries[q].scale * static_cast<float>(dot[i]);
          const float error = rest.errors[i] * queries[q].norm +
                              (1 + rest.errors[i]) * queries[q].error + kRounding;
          if (score + error < lists[q].floor()) continue;
          lists[q].Offer(view_.first(layer) + rest.units[i], score - error, score + error);
        }
        dot += rows;
        block += rows;
      }
    }
  }
}

void LocalIndex::ScanTail(std::span<const float> query, const UnitFilter& filter,
                          Shortlist* list) const {
  const UnitTable& tail = view_.tail().table;
  std::vector<float> scores(static_cast<size_t>(tail.size()));
  embedder_.scan(view_.tail().vectors, query, scores);
  for (int64_t i = 0; i < tail.CountUpTo(filter.before); ++i) {
    if (tail.row(i).question != filter.questions) continue;
    const float score = scores[static_cast<size_t>(i)];
    list->Offer(view_.first(view_.layers().size()) + i, score - kRounding, score + kRounding);
  }
}

Result<std::vector<DenseHit>> LocalIndex::Rerank(std::span<const float> query, size_t k,
                                                 Shortlist* list) const {
  const std::vector<Shortlist::Entry> entries = list->Take();
  std::vector<DenseHit> hits;
  for (size_t begin = 0; begin < entries.size(); begin += kRerankBatch) {
    if (hits.size() == k && entries[begin].upper < hits.back().cosine) break;
    std::vector<int64_t> units;
    for (size_t i = begin; i < std::min(entries.size(), begin + kRerankBatch); ++i) {
      units.push_back(entries[i].unit);
    }
    std::sort(units.begin(), units.end());  // as they are stored
    ASSIGN_OR_RETURN(const std::vector<float> cosines, CosinesOf(units, query));
    for (size_t i = 0; i < units.size(); ++i) hits.push_back({units[i], cosines[i]});
    std::sort(hits.begin(), hits.end(), IsNearer);
    hits.resize(std::min(k, hits.size()));
  }
  return hits;
}

Result<std::vector<float>> LocalIndex::CosinesOf(std::span<const int64_t> units,
                                                 std::span<const float> queries) const {
  const auto width = static_cast<size_t>(embedder_.width);
  std::vector<float> vectors(units.size() * width);
  for (size_t i = 0; i < units.size(); ++i) {
    const auto vector = std::span<float>(vectors).subspan(i * width, width);
    const size_t layer = view_.LayerOf(units[i]);
    const int64_t row = units[i] - view_.first(layer);
    if (layer < view_.layers().size()) {
      const IndexLayer& of_unit = *view_.layers()[layer];
      RETURN_IF_ERROR(of_unit.units.ReadVector(of_unit.table.row(row), vector));
    } else {
      std::copy_n(view_.tail().vectors.begin() + row * embedder_.width, width, vector.begin());
    }
  }
  const size_t n_queries = queries.size() / width;
  std::vector<float> cosines(units.size() * n_queries), of_query(units.size());
  for (size_t q = 0; q < n_queries; ++q) {
    embedder_.scan(vectors, queries.subspan(q * width, width), of_query);
    for (size_t i = 0; i < units.size(); ++i) cosines[i * n_queries + q] = of_query[i];
  }
  return cosines;
}

}  // namespace anabranch
