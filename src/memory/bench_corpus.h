// A corpus that is the same everywhere: sentences of Zipf-distributed words, unit vectors in
// clusters with near-duplicates, questions about them. Each is made from its number alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace anabranch {

class BenchCorpus {
 public:
  static constexpr int32_t kWidth = 384;

  explicit BenchCorpus(int64_t size) : size_(size) {}

  int64_t size() const { return size_; }
  std::string Sentence(int64_t i) const;
  bool OnlyAsks(int64_t i) const { return i % 10 == 9; }
  std::vector<float> Vector(int64_t i) const;

  // Asks about some sentence: in words of it, and in the frequent words of any question.
  std::string Question(int64_t q) const;
  std::vector<float> QuestionVector(int64_t q) const;
  // A direction of its own for any text.
  static std::vector<float> VectorOf(const std::string& text);

 private:
  int64_t Target(int64_t q) const;

  int64_t size_;
};

}  // namespace anabranch
