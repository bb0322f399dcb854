// Whether to recall at all: the best score must beat what unrelated questions score on this store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "memory/memory.h"
#include "memory/recall_policy.h"

namespace anabranch {

// The embedded null queries (null_queries.h).
class NullEmbeddings {
 public:
  static Result<NullEmbeddings> Create(const EmbedderHandle& embedder);

  // The scores of a store without units.
  std::vector<float> NoScores() const;
  // Takes a unit's vector into the best score of each null query.
  void Update(std::span<const float> unit, std::span<float> best) const;
  // The query's best cosine with small talk, which asks for nothing.
  float SmallTalkCosine(std::span<const float> query) const;

 private:
  std::vector<float> vectors_;  // [n, width]; small talk first
  size_t n_ = 0, n_small_talk_ = 0;
  decltype(EmbedderHandle::scan) scan_;
};

// The score that a hit must reach: a high quantile of the null queries' best scores and a margin,
// or a floor that any related pair of sentences passes.
float CalibratedThreshold(std::span<const float> null_scores, const DecisionPolicy& policy = {});

}  // namespace anabranch
