// Whether to recall at all: the best score must beat what unrelated questions score on this store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "memory/memory.h"
#include "memory/recall_policy.h"

namespace anabranch {

// The embedded null queries (null_queries.h), and what tells small talk from asking (small_talk.h).
class NullEmbeddings {
 public:
  static Result<NullEmbeddings> Create(const EmbedderHandle& embedder);

  // The scores of a store without units.
  std::vector<float> NoScores() const;
  // Takes a unit's vector into the best score of each null query.
  void Update(std::span<const float> unit, std::span<float> best) const;
  // How close a query comes to small talk, which asks for nothing, and to what asks for something:
  // its best cosine with a wording of each.
  struct Likeness {
    float small_talk = -1, asking = -1;
  };
  Likeness LikenessOf(std::span<const float> query) const;

 private:
  size_t n_all() const { return is_small_talk_.size(); }

  std::vector<float> vectors_;  // [n_all, width]; the null queries first
  size_t n_ = 0;                // of the null queries
  std::vector<bool> is_small_talk_;
  decltype(EmbedderHandle::scan) scan_;
};

bool IsSmallTalk(const NullEmbeddings::Likeness& likeness, const DecisionPolicy& policy);

// The score that a hit must reach: a high quantile of the null queries' best scores and a margin,
// or a floor that any related pair of sentences passes.
float CalibratedThreshold(std::span<const float> null_scores, const DecisionPolicy& policy = {});

}  // namespace anabranch
