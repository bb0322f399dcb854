// Which units hold the rare words of the questions. Every number is of the view alone, so that no
// score of a stream depends on another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "memory/index_layer.h"

namespace anabranch {

class LexicalSearch {
 public:
  // Weighs the content words of each question by their rarity in the view, which must outlive it.
  static Result<LexicalSearch> Create(const UnitView& view,
                                      const std::vector<std::string_view>& questions);

  // Units that hold the rarest words, best first, `n` at most; of each question as many of these
  // words as stand in kMostPostings units in all.
  Result<std::vector<int64_t>> Find(size_t n, const std::function<bool(int64_t)>& allowed) const;
  // Of each question, the share of its rarity that sorted words hold.
  std::vector<float> SharesOf(const std::vector<std::string>& words) const;

 private:
  static constexpr int64_t kMostPostings = 20000;
  struct Word {
    std::string text;
    int64_t frequency = 0;
    double rarity = 0;
  };
  struct Question {
    std::vector<Word> words;  // the rarest first
    double rarity = 0;        // of all of them
  };

  explicit LexicalSearch(const UnitView& view) : view_(&view) {}

  const UnitView* view_;
  std::vector<Question> questions_;
};

}  // namespace anabranch
