#include "text/bert_normalizer.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "base/check.h"

namespace anabranch {
namespace {

bool IsSpace(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_WHITE_SPACE); }

// Hugging Face's categories are those of Unicode 8: later characters have none there, and six had
// another one.
int8_t Category(UChar32 c) {
  if (c == 0x166D || c == 0x111C9) return U_OTHER_PUNCTUATION;
  if (c == 0x1734) return U_NON_SPACING_MARK;
  if (c == 0x1885 || c == 0x1886) return U_OTHER_LETTER;
  if (c == 0xA9BD) return U_COMBINING_SPACING_MARK;
  UVersionInfo age;
  u_charAge(c, age);
  return age[0] > 8 ? static_cast<int8_t>(U_UNASSIGNED) : u_charType(c);
}

// Control, format and private use characters, but for the white space that people type.
bool IsDropped(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0xFFFD || (U_MASK(Category(c)) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0;
}

bool IsIdeograph(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// All of ASCII's marks, Unicode's symbols among them too.
bool IsPunctuation(UChar32 c) {
  if (c < 0x80) return c > 0x20 && c < 0x7F && !u_isalnum(c);
  return (U_MASK(Category(c)) & U_GC_P_MASK) != 0;
}

icu::UnicodeString Clean(std::string_view text) {
  const icu::UnicodeString raw = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  icu::UnicodeString clean;
  for (int32_t i = 0; i < raw.length(); i = raw.moveIndex32(i, 1)) {
    const UChar32 c = raw.char32At(i);
    if (IsDropped(c)) continue;
    if (IsSpace(c)) {
      clean.append(u' ');
    } else if (IsIdeograph(c)) {
      clean.append(u' ').append(c).append(u' ');
    } else {
      clean.append(c);
    }
  }
  return clean;
}

icu::UnicodeString WithoutAccents(const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const nfd = icu::Normalizer2::getNFDInstance(error);
  const icu::UnicodeString decomposed = nfd->normalize(text, error);
  ANABRANCH_CHECK(U_SUCCESS(error));  // fails for want of memory or ICU's own data alone
  icu::UnicodeString plain;
  for (int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
    const UChar32 c = decomposed.char32At(i);
    if (Category(c) != U_NON_SPACING_MARK) plain.append(c);
  }
  return plain;
}

// Character by character: a final sigma is like any other.
icu::UnicodeString LowerCase(const icu::UnicodeString& text) {
  icu::UnicodeString lower;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    lower.append(icu::UnicodeString(text.char32At(i)).toLower(icu::Locale::getRoot()));
  }
  return lower;
}

}  // namespace

std::vector<std::string> BertWords(std::string_view text, bool lower_case) {
  icu::UnicodeString clean = Clean(text);
  if (lower_case) clean = LowerCase(WithoutAccents(clean));
  std::vector<std::string> words;
  bool in_word = false;
  for (int32_t i = 0; i < clean.length(); i = clean.moveIndex32(i, 1)) {
    const UChar32 c = clean.char32At(i);
    const bool alone = IsPunctuation(c);
    if (IsSpace(c)) {
      in_word = false;
      continue;
    }
    if (!in_word || alone) words.emplace_back();
    icu::UnicodeString(c).toUTF8String(words.back());
    in_word = !alone;
  }
  return words;
}

}  // namespace anabranch
