#include "memory/server_index.h"

#include <algorithm>
#include <map>

#include "memory/indexer.h"

namespace anabranch {

Result<std::vector<std::vector<DenseHit>>> ServerIndex::Nearest(std::span<const float> queries,
                                                                size_t k,
                                                                const UnitFilter& filter) {
  ASSIGN_OR_RETURN(auto nearest, local_.Nearest(queries, k, filter));
  if (base_.table.last_elsewhere() < 0) return nearest;
  const auto width = static_cast<size_t>(stream_.width);
  for (size_t q = 0; q < nearest.size() && fault_.empty(); ++q) {
    Result<std::vector<DenseHit>> hits =
        NearestAtServer(queries.subspan(q * width, width), k, filter);
    if (!hits) {
      fault_ = hits.error().Message();
      break;
    }
    nearest[q].insert(nearest[q].end(), hits->begin(), hits->end());
    std::sort(nearest[q].begin(), nearest[q].end(), IsNearer);
    nearest[q].resize(std::min(k, nearest[q].size()));
  }
  return nearest;
}

Result<std::vector<DenseHit>> ServerIndex::NearestAtServer(std::span<const float> query, size_t k,
                                                           const UnitFilter& filter) {
  const UnitFilter at_server = {
      filter.questions,
      std::min(filter.before, base_.table.row(base_.table.last_elsewhere()).span.end)};
  ASSIGN_OR_RETURN(const std::vector<RemoteHit> found,
                   server_.Nearest(stream_, query, k, at_server));
  std::vector<DenseHit> hits;
  for (const RemoteHit& hit : found) {
    const auto unit = base_.at_server.find(hit.id);
    // Not what was forgotten since, nor what is here as well.
    if (unit != base_.at_server.end()) hits.push_back({unit->second, hit.cosine});
  }
  return hits;
}

Result<std::vector<float>> ServerIndex::Vectors(std::span<const int64_t> units) {
  const auto width = static_cast<size_t>(stream_.width);
  std::vector<UnitId> ids;
  for (const int64_t unit : units) ids.push_back(base_.units.IdOf(view_.row(unit)));
  std::map<UnitId, std::vector<float>> known;
  if (fault_.empty() && !ids.empty()) {
    if (Result<std::vector<RemoteVector>> found = server_.Vectors(stream_, ids)) {
      for (RemoteVector& vector : *found) known[vector.id] = std::move(vector.vector);
    } else {
      fault_ = found.error().Message();
    }
  }
  std::vector<float> vectors(units.size() * width);
  std::vector<std::string> texts;
  std::vector<size_t> at;
  for (size_t i = 0; i < units.size(); ++i) {
    const auto found = known.find(ids[i]);
    if (found != known.end()) {
      std::copy(found->second.begin(), found->second.end(), vectors.data() + i * width);
      continue;
    }
    const UnitRow& row = view_.row(units[i]);
    ASSIGN_OR_RETURN(std::string text, view_.Text(row.text_begin, row.text_end));
    texts.push_back(std::move(text));
    at.push_back(i);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  ASSIGN_OR_RETURN(const std::vector<float> embedded, EmbedAll(embedder_, views));
  for (size_t i = 0; i < at.size(); ++i) {
    std::copy_n(embedded.data() + i * width, width, vectors.data() + at[i] * width);
  }
  return vectors;
}

Result<std::vector<float>> ServerIndex::Cosines(std::span<const int64_t> units,
                                                std::span<const float> queries) {
  const auto width = static_cast<size_t>(stream_.width);
  const size_t n = queries.size() / width;
  std::vector<int64_t> here, remote;
  for (const int64_t unit : units) (IsAtServer(unit) ? remote : here).push_back(unit);
  ASSIGN_OR_RETURN(const std::vector<float> of_here, local_.Cosines(here, queries));
  ASSIGN_OR_RETURN(const std::vector<float> vectors, Vectors(remote));
  std::vector<float> cosines;
  cosines.reserve(units.size() * n);
  std::vector<float> one(1);
  for (size_t i = 0, h = 0, r = 0; i < units.size(); ++i) {
    if (!IsAtServer(units[i])) {
      const auto from = of_here.begin() + static_cast<ptrdiff_t>(h++ * n);
      cosines.insert(cosines.end(), from, from + static_cast<ptrdiff_t>(n));
      continue;
    }
    const auto vector = std::span<const float>(vectors).subspan(r++ * width, width);
    for (size_t q = 0; q < n; ++q) {
      embedder_.scan(vector, queries.subspan(q * width, width), one);
      cosines.push_back(one[0]);
    }
  }
  return cosines;
}

}  // namespace anabranch
