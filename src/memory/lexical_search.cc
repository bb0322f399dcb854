#include "memory/lexical_search.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "memory/lexical.h"

namespace anabranch {

Result<LexicalSearch> LexicalSearch::Create(const UnitView& view,
                                            const std::vector<std::string_view>& questions) {
  LexicalSearch search(view);
  for (const std::string_view text : questions) {
    Question question;
    for (std::string& word : ContentWords(text)) {
      ASSIGN_OR_RETURN(const int64_t frequency, view.Frequency(word));
      const double rarity = Rarity(view.size(), frequency);
      question.rarity += rarity;
      question.words.push_back({std::move(word), frequency, rarity});
    }
    std::stable_sort(question.words.begin(), question.words.end(),
                     [](const Word& a, const Word& b) { return a.frequency < b.frequency; });
    search.questions_.push_back(std::move(question));
  }
  return search;
}

Result<std::vector<int64_t>> LexicalSearch::Find(
    size_t n, const std::function<bool(int64_t)>& allowed) const {
  std::unordered_map<int64_t, double> best;
  for (const Question& question : questions_) {
    std::unordered_map<int64_t, double> held;
    int64_t postings = 0;
    for (const Word& word : question.words) {
      postings += word.frequency;
      if (postings > kMostPostings) break;
      if (word.frequency == 0) continue;
      ASSIGN_OR_RETURN(const std::vector<int64_t> units, view_->Holding(word.text));
      for (const int64_t unit : units) held[unit] += word.rarity;
    }
    for (const auto& [unit, rarity] : held) {
      double& share = best[unit];
      share = std::max(share, rarity / question.rarity);
    }
  }
  std::vector<std::pair<double, int64_t>> order;
  for (const auto& [unit, share] : best) {
    if (allowed(unit)) order.emplace_back(-share, unit);
  }
  n = std::min(n, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(n), order.end());
  std::vector<int64_t> units;
  for (size_t i = 0; i < n; ++i) units.push_back(order[i].second);
  return units;
}

float LexicalSearch::Share(const std::vector<std::string>& words) const {
  double best = 0;
  for (const Question& question : questions_) {
    double held = 0;
    for (const Word& word : question.words) {
      if (std::binary_search(words.begin(), words.end(), word.text)) held += word.rarity;
    }
    if (held > 0) best = std::max(best, held / question.rarity);
  }
  return static_cast<float>(best);
}

}  // namespace anabranch
