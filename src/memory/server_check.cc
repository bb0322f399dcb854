#include "memory/server_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string_view>

#include "memory/indexer.h"

namespace anabranch {
namespace {

// So many of all and so many of the newest, which a server that was killed loses first.
constexpr size_t kSampled = 12;
// Cosine of two vectors that are the same but for rounding, the server's or another machine's, and
// what their difference squared is then.
constexpr float kSame = 0.99f, kRounding = 2 * (1 - kSame);

std::vector<UnitRow> SampleOf(std::span<const UnitRow> units) {
  std::vector<UnitRow> sample;
  const size_t newest = std::min(units.size(), kSampled), older = units.size() - newest;
  for (size_t i = 0; i < std::min(older, kSampled); ++i) {
    sample.push_back(units[i * older / std::min(older, kSampled)]);
  }
  const auto tail = units.last(newest);
  sample.insert(sample.end(), tail.begin(), tail.end());
  return sample;
}

bool AreSame(std::span<const float> a, std::span<const float> b) {
  const auto square = [](float x, float y) { return (x - y) * (x - y); };
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0f, std::plus<>(), square) < kRounding;
}

}  // namespace

Result<std::vector<std::string>> FaultsAtServer(Server* server, const RemoteStreamInfo& stream,
                                                const JournalStore& journal,
                                                std::span<const UnitRow> sent,
                                                const EmbedderHandle& embedder) {
  const std::vector<UnitRow> sample = SampleOf(sent);
  std::vector<UnitId> ids;
  std::vector<std::string> texts;
  for (const UnitRow& unit : sample) {
    ids.push_back(MakeUnitId(stream.name, unit.text_begin, unit.text_end));
    ASSIGN_OR_RETURN(texts.emplace_back(), journal.Text(unit.text_begin, unit.text_end));
  }
  std::vector<float> own;
  if (embedder.embed) {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    ASSIGN_OR_RETURN(own, EmbedAll(embedder, views));
  }
  server->StartRecall();
  ASSIGN_OR_RETURN(const std::vector<RemoteVector> vectors, server->Vectors(stream, ids));
  std::map<UnitId, const std::vector<float>*> by_id;
  for (const RemoteVector& vector : vectors) by_id[vector.id] = &vector.vector;
  std::vector<std::string> faults;
  size_t n_missed = 0;  // an approximate index may miss some that are much like others
  const auto width = static_cast<size_t>(stream.width);
  for (size_t i = 0; i < sample.size(); ++i) {
    const auto fault = [&](const char* what) {
      faults.push_back(fmt::format("{} {} the unit at [{}, {}); memory reindex builds it again",
                                   server->location(), what, sample[i].span.begin.value(),
                                   sample[i].span.end.value()));
    };
    const auto found = by_id.find(ids[i]);
    if (found == by_id.end()) {
      fault("has lost the vector of");
      continue;
    }
    const std::vector<float>& vector = *found->second;
    if (!own.empty() && !AreSame(vector, std::span<const float>(own).subspan(i * width, width))) {
      fault("has another vector than its text's of");
      continue;
    }
    server->StartRecall();
    const UnitFilter filter = {sample[i].question, sample[i].span.end};
    ASSIGN_OR_RETURN(const std::vector<RemoteHit> hits, server->Nearest(stream, vector, 1, filter));
    if (hits.empty() || hits[0].cosine < kSame) ++n_missed;
  }
  if (2 * n_missed > sample.size()) {
    faults.push_back(fmt::format(
        "{} finds {} of {} units not by their own vectors; memory reindex builds its index again",
        server->location(), n_missed, sample.size()));
  }
  return faults;
}

}  // namespace anabranch
