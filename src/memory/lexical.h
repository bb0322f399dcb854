// Words, and how well a text holds the rare words of a question.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch {

// A word (text/words.h) of a stream as the store's word index has it: one of another stream is
// another word.
std::string IndexedWord(int64_t stream, std::string_view word);
// The indexed words of a text, with a space between them.
std::string IndexedWords(int64_t stream, std::string_view text);

// A word of any question ("what", "is", "the").
bool IsCommonWord(const std::string& word);
// Words of a text but for the common ones.
std::vector<std::string> ContentWords(std::string_view text);
// Inverse document frequency of a word that `holding` of `n_units` units have: ln(1 + n / holding).
double Rarity(int64_t n_units, int64_t holding);

}  // namespace anabranch
