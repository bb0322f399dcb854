#include "memory/lexical.h"

#include <fmt/format.h>

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

std::string IndexedWord(int64_t stream, std::string_view word) {
  // No part of a word, and to the index a letter as all that is not ASCII.
  constexpr std::string_view kBetween = "\u00b7";
  return fmt::format("{}{}{}", stream, kBetween, word);
}

std::string IndexedWords(int64_t stream, std::string_view text) {
  std::string joined;
  for (const std::string& word : LexicalWords(text)) {
    if (!joined.empty()) joined += ' ';
    joined += IndexedWord(stream, word);
  }
  return joined;
}

bool IsCommonWord(const std::string& word) {
  const std::vector<std::string>& common = CommonWords();
  return std::binary_search(common.begin(), common.end(), word);
}

std::vector<std::string> ContentWords(std::string_view text) {
  std::vector<std::string> words = LexicalWords(text);
  std::erase_if(words, IsCommonWord);
  return words;
}

double Rarity(int64_t n_units, int64_t holding) {
  return std::log1p(static_cast<double>(n_units) /
                    static_cast<double>(std::max<int64_t>(1, holding)));
}

}  // namespace anabranch
