#include "text/words.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace anabranch {
namespace {

void AppendFolded(UChar32 c, std::string* word) {
  const UChar32 folded = u_foldCase(c, U_FOLD_CASE_DEFAULT);
  std::array<uint8_t, U8_MAX_LENGTH> bytes = {};
  int32_t n = 0;
  UBool error = false;
  U8_APPEND(bytes.data(), n, U8_MAX_LENGTH, folded, error);
  if (!error) word->append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(n));
}

bool IsMark(UChar32 c) { return (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0; }

}  // namespace

std::vector<std::string> LexicalWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    if (bytes[i] < 0x80) {  // most of most texts, without a look into Unicode's tables
      const auto c = static_cast<char>(bytes[i++]);
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        word += c;
      } else if (c >= 'A' && c <= 'Z') {
        word += static_cast<char>(c - 'A' + 'a');
      } else {
        end_word();
      }
      continue;
    }
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    const bool ideograph = c >= 0 && u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC);
    if (ideograph) {
      end_word();
      AppendFolded(c, &word);
      end_word();
    } else if (c >= 0 && (u_isalnum(c) || (!word.empty() && IsMark(c)))) {
      AppendFolded(c, &word);
    } else {
      end_word();
    }
  }
  end_word();
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

bool NamesSomething(std::string_view sentence) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(sentence.data());
  const auto size = static_cast<int64_t>(sentence.size());
  bool first = true, in_word = false, capital = false, is_i = false;
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (c >= 0 && (u_isalnum(c) || (in_word && IsMark(c)))) {
      if (!in_word) capital = !first && (u_isdigit(c) || u_isupper(c) || u_istitle(c));
      is_i = !in_word && c == 'I';
      in_word = true;
    } else if (in_word) {
      if (capital && !is_i) return true;
      first = in_word = capital = false;
    }
  }
  return capital && !is_i;
}

std::string FoldCase(std::string_view text) {
  std::string folded;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    const int64_t begin = i;
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (c >= 0) {
      AppendFolded(c, &folded);
    } else {
      folded += text.substr(static_cast<size_t>(begin), static_cast<size_t>(i - begin));
    }
  }
  return folded;
}

}  // namespace anabranch
