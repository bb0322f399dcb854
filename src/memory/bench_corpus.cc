#include "memory/bench_corpus.h"

#include <xxhash.h>

#include <cmath>
#include <string_view>

namespace anabranch {
namespace {

constexpr int64_t kWords = 50000;
constexpr int64_t kClusters = 2000;
constexpr float kSpread = 0.8f;           // of a cluster: neighbours have a cosine of about 0.6
constexpr float kDuplicateSpread = 0.1f;  // of a near-duplicate
constexpr float kQuestionSpread = 0.7f;
// The most frequent words are those that questions are full of.
constexpr std::string_view kFrequent[] = {
    "the",  "of", "and",  "to",    "a",   "in",  "is",   "that", "was", "it",    "for",  "on",
    "with", "as", "he",   "she",   "at",  "by",  "had",  "not",  "are", "but",   "from", "or",
    "have", "an", "they", "which", "one", "you", "were", "all",  "her", "there", "been", "their"};

// Numbers from a seed: splitmix64.
class Random {
 public:
  Random(uint64_t seed, uint64_t number) : state_(seed * 0x9e3779b97f4a7c15 ^ Mix(number)) {}
  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15); }
  int64_t Below(int64_t n) { return static_cast<int64_t>(Next() % static_cast<uint64_t>(n)); }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

// A number of deviation 1 in each of four 16-bit parts: the sum of two uniform bytes, as good as
// normal once hundreds are added up.
void AddNoise(Random random, float scale, std::vector<float>* vector) {
  constexpr float kDeviation = 104.5f;
  for (size_t i = 0; i < vector->size(); i += 4) {
    uint64_t bits = random.Next();
    for (size_t j = i; j < i + 4; ++j, bits >>= 16) {
      const auto sum = static_cast<float>((bits & 0xff) + (bits >> 8 & 0xff));
      (*vector)[j] += scale * (sum - 255) / kDeviation;
    }
  }
}

std::vector<float> Normalised(std::vector<float> vector) {
  double squares = 0;
  for (const float v : vector) squares += static_cast<double>(v) * v;
  const auto inverse = static_cast<float>(1 / std::sqrt(squares));
  for (float& v : vector) v *= inverse;
  return vector;
}

// Rank r with probability of about 1 / r.
int64_t ZipfRank(Random* random) {
  return static_cast<int64_t>(std::pow(double{kWords}, random->Unit())) - 1;
}

std::string Word(int64_t rank) {
  if (rank < static_cast<int64_t>(std::size(kFrequent))) {
    return std::string(kFrequent[static_cast<size_t>(rank)]);
  }
  constexpr std::string_view kOnsets = "bdfgklmnprstvz", kVowels = "aeiou";
  std::string word;
  for (int64_t n = rank; n > 0; n /= 70) {
    word += kOnsets[static_cast<size_t>(n % 14)];
    word += kVowels[static_cast<size_t>(n / 14 % 5)];
  }
  return word + "n";
}

std::vector<std::string> WordsOf(int64_t i) {
  Random random(1, static_cast<uint64_t>(i));
  std::vector<std::string> words;
  for (int64_t n = 8 + random.Below(9); n > 0; --n) words.push_back(Word(ZipfRank(&random)));
  return words;
}

}  // namespace

std::string BenchCorpus::Sentence(int64_t i) const {
  std::string text;
  for (const std::string& word : WordsOf(i)) text += (text.empty() ? "" : " ") + word;
  return text + (OnlyAsks(i) ? "?" : ".");
}

std::vector<float> BenchCorpus::Vector(int64_t i) const {
  Random random(2, static_cast<uint64_t>(i));
  std::vector<float> vector(kWidth);
  if (i > 0 && random.Below(10) == 0) {
    vector = Vector(random.Below(i));
    AddNoise(random, kDuplicateSpread / std::sqrt(float{kWidth}), &vector);
  } else {
    AddNoise(Random(3, static_cast<uint64_t>(random.Below(kClusters))), 1, &vector);
    AddNoise(random, kSpread, &vector);
  }
  return Normalised(std::move(vector));
}

int64_t BenchCorpus::Target(int64_t q) const {
  return Random(4, static_cast<uint64_t>(q)).Below(size_) / 10 * 10;
}

std::string BenchCorpus::Question(int64_t q) const {
  static constexpr std::string_view kOpenings[] = {"What was the", "When did they have the",
                                                   "Why is it that the", "Which of all the"};
  std::string text(kOpenings[q % 4]);
  const std::vector<std::string> words = WordsOf(Target(q));
  for (size_t w = 0; w < words.size(); w += 2) text += " " + words[w];
  return text + "?";
}

std::vector<float> BenchCorpus::QuestionVector(int64_t q) const {
  std::vector<float> vector = Vector(Target(q));
  // The same text has the same vector.
  AddNoise(Random(5, static_cast<uint64_t>(4 * Target(q) + q % 4)),
           kQuestionSpread / std::sqrt(float{kWidth}), &vector);
  return Normalised(std::move(vector));
}

std::vector<float> BenchCorpus::VectorOf(const std::string& text) {
  std::vector<float> vector(kWidth);
  AddNoise(Random(6, XXH3_64bits(text.data(), text.size())), 1, &vector);
  return Normalised(std::move(vector));
}

}  // namespace anabranch
