// The order of what was found: pure functions over plain data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "anabranch/types.h"

namespace anabranch {

// A unit that may answer.
struct Candidate {
  int64_t unit = 0;            // its number in stream order
  std::vector<float> cosines;  // with each query
  float lexical = 0;           // share of the questions' rare words that it holds
  Role role = Role::kUser;
  bool repeats = false;  // it only asks the same, or answered an earlier asking of it
};

struct Hit {
  int64_t unit = 0;
  float cosine = 0;  // the best of its cosines
  float lexical = 0;
  float score = 0;   // cosine, with what words and role add: comparable with a threshold
  double fused = 0;  // what orders it
};

// Hits, best first. Each query ranks the candidates by cosine; a candidate that holds a good part
// of the question's rare words is lifted, what the model said stands behind what it was told, and
// what repeats the question or an answer to it last of all. Fused by reciprocal rank, weighted.
std::vector<Hit> Rank(std::span<const Candidate> candidates, std::span<const float> query_weights);

}  // namespace anabranch
