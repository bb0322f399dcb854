// The order of what was found: pure functions over plain data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "anabranch/types.h"
#include "memory/recall_policy.h"

namespace anabranch {

// What a query has to do with a unit.
struct UnitScore {
  float cosine = 0;
  float words = 0;  // share of the query's rare words that it holds
};

// A unit that may answer.
struct Candidate {
  int64_t unit = 0;                 // its number in stream order
  std::vector<UnitScore> scores{};  // with each query
  // Of each neighbour in its run that may answer: with each query.
  std::vector<std::vector<UnitScore>> neighbours{};
  Role role = Role::kUser;
  bool repeats = false;  // it only asks the same, or answered an earlier asking of it
};

struct Hit {
  int64_t unit = 0;
  float cosine = 0;   // the best of its cosines
  float lexical = 0;  // the best of its shares of rare words
  float score = 0;    // the best of its own scores with a query: comparable with a threshold
  double fused = 0;   // what orders it
};

// Hits, best first. Each query scores the candidates by cosine; what holds its rare words and what
// stands beside a good one is lifted, what the model said stands behind what it was told, and what
// repeats the question or an answer to it last of all. The scores of the queries are fused.
std::vector<Hit> Rank(std::span<const Candidate> candidates, std::span<const float> query_weights,
                      const RankPolicy& policy = {});

}  // namespace anabranch
