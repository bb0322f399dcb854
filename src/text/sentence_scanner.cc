#include "text/sentence_scanner.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

namespace anabranch {
namespace {

// What a decision at the end of those bytes may look at beyond them: "\r\n" and one character.
constexpr int64_t kLookAhead = 8;
// A line at least this long that ends without a full stop is wrapped prose.
constexpr int64_t kWrappedLineBytes = 40;
// Stands for a byte that is no UTF-8: a control character, which no rule joins to anything.
constexpr char kInvalidByte = '\x1a';

int SentenceClass(UChar32 c) { return u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK); }

bool IsQuestionMark(UChar32 c) {
  constexpr std::array<UChar32, 12> kMarks = {'?',    0x37e,  0x55e,  0x61f,  0x1367, 0x203d,
                                              0x2047, 0x2048, 0x2049, 0x2e2e, 0xa60f, 0xff1f};
  return std::find(kMarks.begin(), kMarks.end(), c) != kMarks.end();
}

}  // namespace

bool IsQuestion(std::string_view sentence) {
  for (auto at = static_cast<int64_t>(sentence.size()); at > 0;) {
    const CharAt before = DecodeBefore(sentence, at);
    if (before.c < 0) return false;
    if (IsQuestionMark(before.c)) return true;
    const int cls = SentenceClass(before.c);
    if (cls != U_SB_CLOSE && cls != U_SB_SP && cls != U_SB_STERM && cls != U_SB_ATERM) return false;
    at = before.next;
  }
  return false;
}

bool EndsSentence(std::string_view text) {
  for (auto at = static_cast<int64_t>(text.size()); at > 0;) {
    const CharAt before = DecodeBefore(text, at);
    const int cls = before.c < 0 ? U_SB_OTHER : SentenceClass(before.c);
    if (cls == U_SB_STERM || cls == U_SB_ATERM) return true;
    if (cls != U_SB_CLOSE && cls != U_SB_SP && cls != U_SB_SEP && cls != U_SB_LF &&
        cls != U_SB_CR) {
      return false;
    }
    at = before.next;
  }
  return false;
}

std::optional<Sentence> SentenceScanner::Next() {
  const int64_t begin = SkipSpace(text_, next_);
  const auto size = static_cast<int64_t>(text_.size());
  if (begin == size) return std::nullopt;
  Mask(begin);
  const auto window = static_cast<int64_t>(masked_.size());
  int64_t end = FirstEnd();
  const bool whole_window = begin + kMaxUnitBytes + kLookAhead <= size;
  const bool settled = whole_window || IsSettled(begin, end);
  if (end == window && begin + window < size) {
    splitter_.SetText(Slice(text_, begin, begin + window), masked_);
    end = splitter_.BestCut(0, splitter_.graphemes().size() - 1);
  }
  next_ = SkipSpace(text_, begin + end);
  return Sentence{begin, TrimEnd(text_, begin, begin + end), next_, settled};
}

const std::string& SentenceScanner::Mask(int64_t begin) {
  int64_t end = std::min<int64_t>(static_cast<int64_t>(text_.size()), begin + kMaxUnitBytes);
  for (int i = 0; i < 3 && end < static_cast<int64_t>(text_.size()) &&
                  U8_IS_TRAIL(text_[static_cast<size_t>(end)]);
       ++i) {
    --end;
  }
  masked_.assign(Slice(text_, begin, end));
  int64_t line = begin;
  for (int64_t at = begin; at < end;) {
    const CharAt here = DecodeAt(text_, at);
    if (here.c < 0) masked_[static_cast<size_t>(at - begin)] = kInvalidByte;
    if (here.c == '\n') {
      if (JoinsLines(at, at - line)) {
        masked_[static_cast<size_t>(at - begin)] = ' ';
        if (at > begin && text_[static_cast<size_t>(at - 1)] == '\r') {
          masked_[static_cast<size_t>(at - begin - 1)] = ' ';
        }
      }
      line = here.next;
    }
    at = here.next;
  }
  return masked_;
}

bool SentenceScanner::JoinsLines(int64_t at, int64_t length) const {
  if (at + 1 >= static_cast<int64_t>(text_.size())) return false;
  const UChar32 after = DecodeAt(text_, at + 1).c;
  if (after < 0) return false;
  if (u_islower(after)) return true;
  return length >= kWrappedLineBytes && (u_isalnum(after) || after == '"' || after == '(');
}

int64_t SentenceScanner::FirstEnd() {
  sentences_.SetText(masked_);
  while (true) {
    const int64_t end = sentences_.Next();
    if (end == UBRK_DONE) return static_cast<int64_t>(masked_.size());
    if (!ContinuesAt(end)) return end;
  }
}

bool SentenceScanner::ContinuesAt(int64_t end) const {
  if (end == static_cast<int64_t>(masked_.size())) return false;
  const std::string_view sentence = Slice(masked_, 0, TrimEnd(masked_, 0, end));
  if (sentence.empty() || Slice(masked_, 0, end).back() == '\n') return false;
  const auto size = static_cast<int64_t>(sentence.size());
  if (SentenceClass(DecodeBefore(sentence, size).c) == U_SB_CLOSE) {
    return u_islower(DecodeAt(masked_, end).c);
  }
  if (sentence.back() != '.') return false;
  const size_t space = sentence.find_last_of(" (\t\n");
  const std::string_view word =
      sentence.substr(space == sentence.npos ? 0 : space + 1, sentence.npos);
  constexpr std::array<std::string_view, 14> kTitles = {"Mr.", "Mrs.", "Ms.",  "Dr.",  "Prof.",
                                                        "St.", "Rev.", "Gen.", "Col.", "Capt.",
                                                        "Lt.", "Sgt.", "Hon.", "No."};
  if (std::find(kTitles.begin(), kTitles.end(), word) != kTitles.end()) return true;
  return word.size() == 2 && word[0] >= 'A' && word[0] <= 'Z' && word[0] != 'I';  // "J. Smith"
}

bool SentenceScanner::IsSettled(int64_t begin, int64_t end) const {
  const auto window = static_cast<int64_t>(masked_.size());
  for (int64_t at = end; at < window;) {
    const CharAt here = DecodeAt(masked_, at);
    switch (SentenceClass(here.c)) {
      case U_SB_OLETTER:
      case U_SB_UPPER:
      case U_SB_LOWER:
      case U_SB_ATERM:
      case U_SB_STERM:
        return true;
      case U_SB_SEP:
      case U_SB_CR:
      case U_SB_LF:
        if (begin + at + kLookAhead <= static_cast<int64_t>(text_.size())) return true;
        break;
      default:
        break;
    }
    at = here.next;
  }
  return false;
}

}  // namespace anabranch
