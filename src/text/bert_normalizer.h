// BERT's reading of a text: cleaned, lower-cased, without accents, cut into words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anabranch {

// The words as UTF-8; a punctuation mark or a CJK ideograph is a word. As Hugging Face's
// BertTokenizer has it; what is not UTF-8 is dropped.
std::vector<std::string> BertWords(std::string_view text, bool lower_case);

}  // namespace anabranch
