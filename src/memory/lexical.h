// Words, and how well a text holds the rare words of a question.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anabranch {

// The distinct words of a text, folded to one case, sorted: runs of letters, digits and marks; an
// ideograph is a word of its own.
std::vector<std::string> LexicalWords(std::string_view text);
// The same with a space between them, as the store's word index takes them.
std::string JoinedWords(std::string_view text);

// Words of a text that are not in any other question ("what", "is", "the").
std::vector<std::string> ContentWords(std::string_view text);
// Inverse document frequency of a word that `holding` of `n_units` units have: ln(1 + n / holding).
double Rarity(int64_t n_units, int64_t holding);
// For comparing without case.
std::string FoldCase(std::string_view text);

}  // namespace anabranch
