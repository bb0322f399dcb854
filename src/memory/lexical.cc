#include "memory/lexical.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "memory/null_queries.h"
#include "text/words.h"

namespace anabranch {
namespace {

// Words that several of the null queries have are words of any question.
const std::vector<std::string>& CommonWords() {
  static const std::vector<std::string> words = [] {
    std::map<std::string, int> counts;
    for (const NullQuery& query : NullQueries()) {
      for (const std::string& word : LexicalWords(query.text)) ++counts[word];
    }
    constexpr int kSeveral = 2;
    std::vector<std::string> common;
    for (const auto& [word, count] : counts) {
      if (count >= kSeveral) common.push_back(word);
    }
    return common;
  }();
  return words;
}

}  // namespace

std::string JoinedWords(std::string_view text) {
  std::string joined;
  for (const std::string& word : LexicalWords(text)) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

std::vector<std::string> ContentWords(std::string_view text) {
  std::vector<std::string> words = LexicalWords(text);
  const std::vector<std::string>& common = CommonWords();
  std::erase_if(words, [&](const std::string& word) {
    return std::binary_search(common.begin(), common.end(), word);
  });
  return words;
}

double Rarity(int64_t n_units, int64_t holding) {
  return std::log1p(static_cast<double>(n_units) /
                    static_cast<double>(std::max<int64_t>(1, holding)));
}

}  // namespace anabranch
