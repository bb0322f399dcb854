// Words, and how well a text holds the rare words of a question.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anabranch {

// The words of a text (text/words.h) with a space between them, as the store's word index takes
// them.
std::string JoinedWords(std::string_view text);

// Words of a text that are not in any other question ("what", "is", "the").
std::vector<std::string> ContentWords(std::string_view text);
// Inverse document frequency of a word that `holding` of `n_units` units have: ln(1 + n / holding).
double Rarity(int64_t n_units, int64_t holding);

}  // namespace anabranch
