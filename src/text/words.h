// Words of a text in any script, and comparing without case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anabranch {

// The distinct words of a text, folded to one case, sorted: runs of letters, digits and marks; an
// ideograph is a word of its own. Any bytes: what is not UTF-8 separates words.
std::vector<std::string> LexicalWords(std::string_view text);
// Whether a sentence names something, as far as its spelling shows: a word behind the first begins
// with a digit or a capital, and is not "I". Never in a script that has no capitals.
bool NamesSomething(std::string_view sentence);
// Unicode's simple case folding, for comparing without case; bytes that are not UTF-8 stay.
std::string FoldCase(std::string_view text);

}  // namespace anabranch
