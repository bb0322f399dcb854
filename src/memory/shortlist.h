// What may be among the k best, while only bounds of scores are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace anabranch {

class Shortlist {
 public:
  struct Entry {
    int64_t unit = 0;
    float upper = 0;  // its score is at most that
  };

  explicit Shortlist(size_t k) : k_(k) {}

  // A score that cannot be among the k best is below this.
  float floor() const { return floor_; }
  // A unit whose score lies in [lower, upper].
  void Offer(int64_t unit, float lower, float upper);
  // All that may be among the k best, the highest upper bound first.
  std::vector<Entry> Take();

 private:
  static constexpr size_t kPrune = 4096;  // entries that are looked through again
  void Prune();

  size_t k_;
  float floor_ = std::numeric_limits<float>::lowest();  // the k-th best of the lower bounds
  std::vector<float> lower_;  // the k best of them, a heap with the least on top
  std::vector<Entry> entries_;
  size_t prune_at_ = kPrune;
};

}  // namespace anabranch
