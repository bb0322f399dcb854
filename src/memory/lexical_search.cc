#include "memory/lexical_search.h"

#include <algorithm>
#include <utility>

#include "memory/lexical.h"

namespace anabranch {

namespace {

using Shares = std::vector<std::pair<int64_t, double>>;  // by unit

// All units of two lists; `join` makes one share of two.
template <typename Join>
Shares Merge(const Shares& a, Shares b, const Join& join) {
  if (!std::is_sorted(b.begin(), b.end())) std::sort(b.begin(), b.end());
  Shares merged;
  merged.reserve(a.size() + b.size());
  auto i = a.begin();
  for (const auto& entry : b) {
    while (i != a.end() && i->first < entry.first) merged.push_back(*i++);
    if (i != a.end() && i->first == entry.first) {
      merged.emplace_back(entry.first, join(i->second, entry.second));
      ++i;
    } else {
      merged.push_back(entry);
    }
  }
  merged.insert(merged.end(), i, a.end());
  return merged;
}

}  // namespace

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
  Shares best;
  for (const Question& question : questions_) {
    Shares held;
    int64_t postings = 0;
    for (const Word& word : question.words) {
      postings += word.frequency;
      if (postings > kMostPostings) break;
      if (word.frequency == 0) continue;
      ASSIGN_OR_RETURN(const std::vector<int64_t> units, view_->Holding(word.text));
      Shares of_word;
      for (const int64_t unit : units) of_word.emplace_back(unit, word.rarity / question.rarity);
      held = Merge(held, std::move(of_word), [](double a, double b) { return a + b; });
    }
    best = Merge(best, std::move(held), [](double a, double b) { return std::max(a, b); });
  }
  // A heap with the best on top: few of them are looked at.
  const auto is_worse = [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : a.first > b.first;
  };
  std::make_heap(best.begin(), best.end(), is_worse);
  std::vector<int64_t> units;
  while (units.size() < n && !best.empty()) {
    if (allowed(best.front().first)) units.push_back(best.front().first);
    std::pop_heap(best.begin(), best.end(), is_worse);
    best.pop_back();
  }
  return units;
}

std::vector<float> LexicalSearch::SharesOf(const std::vector<std::string>& words) const {
  std::vector<float> shares;
  for (const Question& question : questions_) {
    double held = 0;
    for (const Word& word : question.words) {
      if (std::binary_search(words.begin(), words.end(), word.text)) held += word.rarity;
    }
    shares.push_back(held > 0 ? static_cast<float>(held / question.rarity) : 0);
  }
  return shares;
}

}  // namespace anabranch
