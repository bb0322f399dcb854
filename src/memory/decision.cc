#include "memory/decision.h"

#include <algorithm>

#include "memory/null_queries.h"
#include "memory/small_talk.h"

namespace anabranch {

Result<NullEmbeddings> NullEmbeddings::Create(const EmbedderHandle& embedder) {
  NullEmbeddings null;
  std::vector<std::string_view> texts;
  const auto add = [&](std::string_view text, bool small_talk) {
    texts.push_back(text);
    null.is_small_talk_.push_back(small_talk);
  };
  for (const NullQuery& query : NullQueries()) add(query.text, query.small_talk);
  null.n_ = texts.size();
  for (const std::string_view text : SmallTalk()) add(text, true);
  for (const std::string_view text : Asking()) add(text, false);
  null.vectors_.resize(texts.size() * static_cast<size_t>(embedder.width));
  null.scan_ = embedder.scan;
  RETURN_IF_ERROR(embedder.embed(texts, null.vectors_));
  return null;
}

std::vector<float> NullEmbeddings::NoScores() const { return std::vector<float>(n_, -1.0f); }

void NullEmbeddings::Update(std::span<const float> unit, std::span<float> best) const {
  std::vector<float> scores(n_);
  scan_(std::span(vectors_).first(n_ * unit.size()), unit, scores);
  for (size_t i = 0; i < n_; ++i) best[i] = std::max(best[i], scores[i]);
}

NullEmbeddings::Likeness NullEmbeddings::LikenessOf(std::span<const float> query) const {
  std::vector<float> scores(n_all());
  scan_(vectors_, query, scores);
  Likeness likeness;
  for (size_t i = 0; i < n_all(); ++i) {
    float& best = is_small_talk_[i] ? likeness.small_talk : likeness.asking;
    best = std::max(best, scores[i]);
  }
  return likeness;
}

bool IsSmallTalk(const NullEmbeddings::Likeness& likeness, const DecisionPolicy& policy) {
  return likeness.small_talk >= policy.small_talk &&
         likeness.small_talk - likeness.asking >= policy.small_talk_lead;
}

float CalibratedThreshold(std::span<const float> null_scores, const DecisionPolicy& policy) {
  if (null_scores.empty()) return policy.floor;
  std::vector<float> sorted(null_scores.begin(), null_scores.end());
  const auto at = static_cast<ptrdiff_t>(policy.quantile * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return std::max(policy.floor, sorted[static_cast<size_t>(at)] + policy.margin);
}

}  // namespace anabranch
