#include "memory/rank.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace anabranch {
namespace {

using Words = RankPolicy::Words;

float Penalty(const Candidate& candidate, const RankPolicy& policy) {
  float penalty = 0;
  if (candidate.role == Role::kAssistant) penalty += policy.assistant_penalty;
  if (candidate.repeats) penalty += policy.repeat_penalty;
  return penalty;
}

float Lifted(const UnitScore& score, const RankPolicy& policy) {
  if (policy.words == Words::kAlone) return score.words;
  const bool lifts = policy.words == Words::kLift ||
                     (policy.words == Words::kGate && score.words >= policy.words_gate);
  return score.cosine + (lifts ? policy.words_lift * score.words : 0);
}

float ScoreWith(const Candidate& candidate, size_t query, const RankPolicy& policy) {
  float beside = 0;
  for (const std::vector<UnitScore>& neighbour : candidate.neighbours) {
    beside = std::max(beside, Lifted(neighbour[query], policy));
  }
  return Lifted(candidate.scores[query], policy) + policy.neighbour_share * beside -
         Penalty(candidate, policy);
}

// Adds what the scores say to the hits.
void Fuse(std::vector<float> scores, double weight, const RankPolicy& policy,
          std::vector<Hit>* hits) {
  if (policy.fusion == RankPolicy::Fusion::kMargins) {
    std::vector<float> sorted = scores;
    const size_t at = std::min(sorted.size(), static_cast<size_t>(policy.candidates)) - 1;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(at), sorted.end(),
                     std::greater<>());
    for (size_t i = 0; i < scores.size(); ++i) {
      (*hits)[i].fused += weight * std::max(0.0f, scores[i] - sorted[at]);
    }
    return;
  }
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : (*hits)[a].unit > (*hits)[b].unit;
  });
  for (size_t rank = 0; rank < order.size(); ++rank) {
    (*hits)[order[rank]].fused += weight / (policy.rank_offset + static_cast<double>(rank));
  }
}

}  // namespace

std::vector<Hit> Rank(std::span<const Candidate> candidates, std::span<const float> query_weights,
                      const RankPolicy& policy) {
  std::vector<Hit> hits;
  if (candidates.empty()) return hits;
  hits.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    Hit hit = {candidate.unit, -1, 0, -1, 0};
    for (const UnitScore& score : candidate.scores) {
      hit.cosine = std::max(hit.cosine, score.cosine);
      hit.lexical = std::max(hit.lexical, score.words);
      hit.score = std::max(hit.score, Lifted(score, policy) - Penalty(candidate, policy));
    }
    hits.push_back(hit);
  }
  std::vector<float> scores(candidates.size());
  for (size_t q = 0; q < query_weights.size(); ++q) {
    std::transform(candidates.begin(), candidates.end(), scores.begin(),
                   [&](const Candidate& c) { return ScoreWith(c, q, policy); });
    Fuse(scores, query_weights[q], policy, &hits);
    if (policy.words != Words::kFusion) continue;
    std::transform(candidates.begin(), candidates.end(), scores.begin(),
                   [&](const Candidate& c) { return c.scores[q].words - Penalty(c, policy); });
    Fuse(scores, query_weights[q], policy, &hits);
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.fused != b.fused ? a.fused > b.fused : a.unit > b.unit;
  });
  return hits;
}

}  // namespace anabranch
