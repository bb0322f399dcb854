#include "text/text_breaks.h"

#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "base/check.h"

namespace anabranch {

CharAt DecodeAt(std::string_view text, int64_t at) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data()) + at;
  const auto rest = static_cast<int32_t>(
      std::min<int64_t>(static_cast<int64_t>(text.size()) - at, U8_MAX_LENGTH));
  int32_t i = 0;
  UChar32 c = 0;
  U8_NEXT(bytes, i, rest, c);
  return c < 0 ? CharAt{-1, at + 1} : CharAt{c, at + i};
}

CharAt DecodeBefore(std::string_view text, int64_t at) {
  const int64_t from = std::max<int64_t>(0, at - U8_MAX_LENGTH);
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data()) + from;
  auto i = static_cast<int32_t>(at - from);
  UChar32 c = 0;
  U8_PREV(bytes, 0, i, c);
  return c < 0 ? CharAt{-1, at - 1} : CharAt{c, from + i};
}

bool IsSpace(int32_t c) { return c >= 0 && u_isUWhiteSpace(c); }

int64_t SkipSpace(std::string_view text, int64_t at) {
  while (at < static_cast<int64_t>(text.size())) {
    const CharAt here = DecodeAt(text, at);
    if (!IsSpace(here.c)) break;
    at = here.next;
  }
  return at;
}

int64_t TrimEnd(std::string_view text, int64_t begin, int64_t end) {
  while (end > begin) {
    const CharAt before = DecodeBefore(text, end);
    if (!IsSpace(before.c)) break;
    end = before.next;
  }
  return end;
}

std::string_view Slice(std::string_view text, int64_t begin, int64_t end) {
  return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

Breaks::Breaks(UBreakIteratorType type) {
  UErrorCode status = U_ZERO_ERROR;
  iterator_.reset(ubrk_open(type, "", nullptr, 0, &status));
  ANABRANCH_CHECK(U_SUCCESS(status));  // ICU's data are part of the library
}

void Breaks::SetText(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  UText utext = UTEXT_INITIALIZER;
  utext_openUTF8(&utext, text.data(), static_cast<int64_t>(text.size()), &status);
  ubrk_setUText(iterator_.get(), &utext, &status);  // makes its own shallow copy
  utext_close(&utext);
  ANABRANCH_CHECK(U_SUCCESS(status));
}

void Splitter::SetText(std::string_view original, std::string_view masked) {
  original_ = original;
  masked_ = masked;
  graphemes_.clear();
  characters_.SetText(masked);
  while (true) {
    const int64_t at = characters_.Next();
    if (at == UBRK_DONE) break;
    graphemes_.push_back(at);
  }
}

int64_t Splitter::BestCut(int64_t from, size_t last) {
  const int64_t limit = graphemes_[last];
  const int64_t half = from + (limit - from) / 2;
  int64_t best = limit;
  int best_rank = 0;
  for (size_t i = last + 1; i-- > 0 && graphemes_[i] > half;) {
    const int rank = Rank(graphemes_[i]);
    if (rank > best_rank) {
      best_rank = rank;
      best = graphemes_[i];
    }
  }
  return best_rank > 0 ? best : LastWordEnd(half, last);
}

int Splitter::Rank(int64_t at) const {
  const UChar32 before = DecodeBefore(original_, at).c;
  const UChar32 after =
      at < static_cast<int64_t>(original_.size()) ? DecodeAt(original_, at).c : ' ';
  if (after == '\n') return 3;
  constexpr std::u32string_view kWide = U"、，；：。！？";  // no space follows these
  if (before >= 0 && kWide.find(static_cast<char32_t>(before)) != kWide.npos) return 2;
  if (!IsSpace(after)) return 0;
  constexpr std::u32string_view kNarrow = U",;:.!?–—)";
  return before >= 0 && kNarrow.find(static_cast<char32_t>(before)) != kNarrow.npos ? 2 : 1;
}

int64_t Splitter::LastWordEnd(int64_t half, size_t last) {
  words_.SetText(masked_);
  for (size_t i = last + 1; i-- > 0 && graphemes_[i] > half;) {
    if (words_.IsBreak(graphemes_[i])) return graphemes_[i];
  }
  return graphemes_[last];
}

}  // namespace anabranch
