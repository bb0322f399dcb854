#include "memory/rank.h"

#include <algorithm>
#include <numeric>

namespace anabranch {
namespace {

// Words join only when most of the rare ones are there: equal weights measured worse than cosines
// alone (DESIGN §3).
constexpr float kLexicalShare = 0.6f;
constexpr float kLexicalLift = 0.15f;       // of a unit that holds all of them
constexpr float kAssistantPenalty = 0.05f;  // at similar scores the user's own words lead
constexpr float kRepeatPenalty = 0.4f;      // it adds nothing, or was said without the fact
constexpr double kFusionRank = 10;          // of reciprocal rank fusion: how soon ranks flatten

float Adjustment(const Candidate& candidate) {
  float adjustment = 0;
  if (candidate.lexical >= kLexicalShare) adjustment += kLexicalLift * candidate.lexical;
  if (candidate.role == Role::kAssistant) adjustment -= kAssistantPenalty;
  if (candidate.repeats) adjustment -= kRepeatPenalty;
  return adjustment;
}

}  // namespace

std::vector<Hit> Rank(std::span<const Candidate> candidates, std::span<const float> query_weights) {
  std::vector<Hit> hits;
  hits.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    const float cosine = *std::max_element(candidate.cosines.begin(), candidate.cosines.end());
    hits.push_back({candidate.unit, cosine, candidate.lexical, cosine + Adjustment(candidate), 0});
  }
  std::vector<size_t> order(candidates.size());
  for (size_t q = 0; q < query_weights.size(); ++q) {
    std::iota(order.begin(), order.end(), size_t{0});
    const auto key = [&](size_t i) { return candidates[i].cosines[q] + Adjustment(candidates[i]); };
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return key(a) != key(b) ? key(a) > key(b) : candidates[a].unit > candidates[b].unit;
    });
    for (size_t rank = 0; rank < order.size(); ++rank) {
      hits[order[rank]].fused += query_weights[q] / (kFusionRank + static_cast<double>(rank));
    }
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.fused != b.fused ? a.fused > b.fused : a.unit > b.unit;
  });
  return hits;
}

}  // namespace anabranch
