#include "memory/decision.h"

#include <algorithm>

#include "memory/null_queries.h"

namespace anabranch {
Result<NullEmbeddings> NullEmbeddings::Create(const EmbedderHandle& embedder) {
  NullEmbeddings null;
  std::vector<std::string_view> texts;
  for (const NullQuery& query : NullQueries()) {
    texts.push_back(query.text);
    null.n_small_talk_ += query.small_talk ? 1 : 0;
  }
  null.n_ = texts.size();
  null.vectors_.resize(texts.size() * static_cast<size_t>(embedder.width));
  null.scan_ = embedder.scan;
  RETURN_IF_ERROR(embedder.embed(texts, null.vectors_));
  return null;
}

std::vector<float> NullEmbeddings::NoScores() const { return std::vector<float>(n_, -1.0f); }

void NullEmbeddings::Update(std::span<const float> unit, std::span<float> best) const {
  std::vector<float> scores(n_);
  scan_(vectors_, unit, scores);
  for (size_t i = 0; i < n_; ++i) best[i] = std::max(best[i], scores[i]);
}

float NullEmbeddings::SmallTalkCosine(std::span<const float> query) const {
  std::vector<float> scores(n_);
  scan_(vectors_, query, scores);
  return *std::max_element(scores.begin(), scores.begin() + static_cast<ptrdiff_t>(n_small_talk_));
}

float CalibratedThreshold(std::span<const float> null_scores, const DecisionPolicy& policy) {
  if (null_scores.empty()) return policy.floor;
  std::vector<float> sorted(null_scores.begin(), null_scores.end());
  const auto at = static_cast<ptrdiff_t>(policy.quantile * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return std::max(policy.floor, sorted[static_cast<size_t>(at)] + policy.margin);
}

}  // namespace anabranch
