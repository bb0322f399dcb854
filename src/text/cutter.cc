// Three layers, each a pure function with a bounded look-ahead that can start anew at any border of
// its own: sentences (ICU's rules within kMaxBytes of the sentence's start), the split of sentences
// that are too long, and the joining of those that are too short. What is settled of a growing text
// follows from that: see SentenceScanner::Next and UnitCutter.
#include "text/cutter.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"

namespace anabranch {
namespace {

// A sentence, and a unit, is at most this long: it bounds what a growing text holds back.
constexpr int64_t kMaxBytes = 4096;
// What a decision at the end of those bytes may look at beyond them: "\r\n" and one character.
constexpr int64_t kLookAhead = 8;
// A line at least this long that ends without a full stop is wrapped prose.
constexpr int64_t kWrappedLineBytes = 40;
// Stands for a byte that is no UTF-8: a control character, which no rule joins to anything.
constexpr char kInvalidByte = '\x1a';

struct CharAt {
  UChar32 c = 0;     // < 0: not UTF-8
  int64_t next = 0;  // where the next character begins
};

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

bool IsSpace(UChar32 c) { return c >= 0 && u_isUWhiteSpace(c); }

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

int SentenceClass(UChar32 c) { return u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK); }

bool IsQuestionMark(UChar32 c) {
  constexpr std::array<UChar32, 12> kMarks = {'?',    0x37e,  0x55e,  0x61f,  0x1367, 0x203d,
                                              0x2047, 0x2048, 0x2049, 0x2e2e, 0xa60f, 0xff1f};
  return std::find(kMarks.begin(), kMarks.end(), c) != kMarks.end();
}

// Of a sentence without white space around it: a question mark among the marks that end it.
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

// One of ICU's break iterators over a piece of text.
class Breaks {
 public:
  explicit Breaks(UBreakIteratorType type) {
    UErrorCode status = U_ZERO_ERROR;
    iterator_.reset(ubrk_open(type, "", nullptr, 0, &status));
    ANABRANCH_CHECK(U_SUCCESS(status));  // ICU's data are part of the library
  }
  // `text` must stay until the next call. Valid UTF-8.
  void SetText(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    UText utext = UTEXT_INITIALIZER;
    utext_openUTF8(&utext, text.data(), static_cast<int64_t>(text.size()), &status);
    ubrk_setUText(iterator_.get(), &utext, &status);  // makes its own shallow copy
    utext_close(&utext);
    ANABRANCH_CHECK(U_SUCCESS(status));
  }
  int64_t Next() { return ubrk_next(iterator_.get()); }  // UBRK_DONE at the end
  bool IsBreak(int64_t at) { return ubrk_isBoundary(iterator_.get(), static_cast<int32_t>(at)); }

 private:
  struct Close {
    void operator()(UBreakIterator* iterator) const { ubrk_close(iterator); }
  };
  std::unique_ptr<UBreakIterator, Close> iterator_;
};

// Chooses where a text that is too long for one piece is cut.
class Splitter {
 public:
  // Text [begin, end), in which ICU finds its way: see SentenceScanner::Mask.
  void SetText(std::string_view original, std::string_view masked) {
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

  const std::vector<int64_t>& graphemes() const { return graphemes_; }

  // The best border in the second half of [from, graphemes()[last]]: an end of a line, of a clause,
  // of a word; else that grapheme itself.
  int64_t BestCut(int64_t from, size_t last) {
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

 private:
  int Rank(int64_t at) const {
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

  int64_t LastWordEnd(int64_t half, size_t last) {
    words_.SetText(masked_);
    for (size_t i = last + 1; i-- > 0 && graphemes_[i] > half;) {
      if (words_.IsBreak(graphemes_[i])) return graphemes_[i];
    }
    return graphemes_[last];
  }

  Breaks characters_{UBRK_CHARACTER};
  Breaks words_{UBRK_WORD};
  std::string_view original_, masked_;
  std::vector<int64_t> graphemes_;
};

struct Sentence {
  int64_t begin = 0;  // its first character that is no white space
  int64_t end = 0;    // behind its last one
  int64_t next = 0;   // behind the white space that follows
  bool settled = false;
};

class SentenceScanner {
 public:
  explicit SentenceScanner(std::string_view text) : text_(text) {}

  // The next sentence; none when only white space is left. It is settled when text that is appended
  // cannot change its end: ICU looks ahead at most to the first letter, line end or full stop.
  std::optional<Sentence> Next() {
    const int64_t begin = SkipSpace(text_, next_);
    const auto size = static_cast<int64_t>(text_.size());
    if (begin == size) return std::nullopt;
    Mask(begin);
    const auto window = static_cast<int64_t>(masked_.size());
    int64_t end = FirstEnd();
    const bool whole_window = begin + kMaxBytes + kLookAhead <= size;
    const bool settled = whole_window || IsSettled(begin, end);
    if (end == window && begin + window < size) {
      splitter_.SetText(Slice(text_, begin, begin + window), masked_);
      end = splitter_.BestCut(0, splitter_.graphemes().size() - 1);
    }
    next_ = SkipSpace(text_, begin + end);
    return Sentence{begin, TrimEnd(text_, begin, begin + end), next_, settled};
  }

  Splitter& splitter() { return splitter_; }

  // A copy of up to kMaxBytes from `begin` that ICU can read: bytes that are no UTF-8 stand as
  // kInvalidByte, and a line end within wrapped prose as a space.
  const std::string& Mask(int64_t begin) {
    int64_t end = std::min<int64_t>(static_cast<int64_t>(text_.size()), begin + kMaxBytes);
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

 private:
  // True of a line end at `at`, behind `length` bytes of the line (or of its last sentence), that
  // only wraps a sentence.
  bool JoinsLines(int64_t at, int64_t length) const {
    if (at + 1 >= static_cast<int64_t>(text_.size())) return false;
    const UChar32 after = DecodeAt(text_, at + 1).c;
    if (after < 0) return false;
    if (u_islower(after)) return true;
    return length >= kWrappedLineBytes && (u_isalnum(after) || after == '"' || after == '(');
  }

  // Where the first sentence of masked_ ends.
  int64_t FirstEnd() {
    sentences_.SetText(masked_);
    while (true) {
      const int64_t end = sentences_.Next();
      if (end == UBRK_DONE) return static_cast<int64_t>(masked_.size());
      if (!ContinuesAt(end)) return end;
    }
  }

  // ICU ends a sentence at `end` where we do not: behind an abbreviation ("Dr. Who"), and behind a
  // quotation that the sentence goes on after ('"Who?" she asked').
  bool ContinuesAt(int64_t end) const {
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

  bool IsSettled(int64_t begin, int64_t end) const {
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

  std::string_view text_;
  int64_t next_ = 0;
  std::string masked_;
  Breaks sentences_{UBRK_SENTENCE};
  Splitter splitter_;
};

// Joins and splits sentences to units.
//
// Invariants: `open_` holds sentences (or the last part of one) that are still too short for a
// unit; at a border nothing is open and a sentence begins, so that cutting could start anew there.
class UnitCutter {
 public:
  UnitCutter(std::string_view text, const CutOptions& options, const CountPieces& count)
      : text_(text), options_(options), count_(count), scanner_(text) {}

  std::vector<ByteSpan> All() {
    while (const std::optional<Sentence> sentence = scanner_.Next()) Add(*sentence);
    if (open_) JoinLast();
    return std::move(units_);
  }

  // Ends at the last border that is followed by a unit: only the last unit may still grow.
  std::vector<ByteSpan> Settled() {
    std::vector<size_t> borders = {0};
    while (const std::optional<Sentence> sentence = scanner_.Next()) {
      if (!sentence->settled) break;
      if (Add(*sentence)) borders.push_back(border_);
    }
    while (borders.size() > 1 && borders.back() >= units_.size()) borders.pop_back();
    units_.resize(borders.back());
    return std::move(units_);
  }

 private:
  // True if it met a border: border_ units lie before it.
  bool Add(const Sentence& sentence) {
    const bool question = IsQuestion(Slice(text_, sentence.begin, sentence.end));
    bool met = false;
    if (open_ && (question != open_question_ || !Fits({open_->begin, sentence.end}))) {
      units_.push_back(*open_);
      open_.reset();
      border_ = units_.size();
      met = true;
    }
    open_ = ByteSpan{open_ ? open_->begin : sentence.begin, sentence.end};
    open_question_ = question;
    while (open_ && !Fits(*open_)) SplitOpen();
    if (open_ && !IsShort(*open_)) {
      units_.push_back(*open_);
      open_.reset();
    }
    if (!open_) {
      border_ = units_.size();
      met = true;
    }
    return met;
  }

  bool Fits(ByteSpan span) const {
    return span.end - span.begin <= kMaxBytes && Pieces(span) <= options_.max_pieces;
  }
  bool IsShort(ByteSpan span) const { return Pieces(span) < options_.min_pieces; }
  int Pieces(ByteSpan span) const { return count_(Slice(text_, span.begin, span.end)); }

  // Takes from open_ as much as fits.
  void SplitOpen() {
    const int64_t begin = open_->begin;
    const std::string masked =
        scanner_.Mask(begin).substr(0, static_cast<size_t>(open_->end - begin));
    const auto size = begin + static_cast<int64_t>(masked.size());
    Splitter& splitter = scanner_.splitter();
    splitter.SetText(Slice(text_, begin, size), masked);
    const std::vector<int64_t>& graphemes = splitter.graphemes();
    const auto fits = [&](int64_t end) { return Fits({begin, begin + end}); };
    auto behind = std::partition_point(graphemes.begin(), graphemes.end(), fits);
    size_t last =
        behind == graphemes.begin() ? 0 : static_cast<size_t>(behind - graphemes.begin()) - 1;
    int64_t cut = splitter.BestCut(0, last);
    while (last > 0 && !fits(cut)) cut = graphemes[--last];  // pieces are not quite monotonic
    const int64_t end = TrimEnd(text_, begin, begin + cut);
    units_.push_back({begin, end > begin ? end : begin + cut});
    const int64_t rest = SkipSpace(text_, begin + cut);
    if (rest < open_->end) {
      open_->begin = rest;
    } else {
      open_.reset();
    }
  }

  // What is left at the end of the text joins the unit before it, if they fit.
  void JoinLast() {
    if (!units_.empty()) {
      const ByteSpan joined = {units_.back().begin, open_->end};
      const bool question = IsQuestionOnly(Slice(text_, joined.begin, units_.back().end));
      if (question == open_question_ && Fits(joined)) {
        units_.back() = joined;
        return;
      }
    }
    units_.push_back(*open_);
  }

  std::string_view text_;
  const CutOptions& options_;
  const CountPieces& count_;
  SentenceScanner scanner_;
  std::vector<ByteSpan> units_;
  std::optional<ByteSpan> open_;
  bool open_question_ = false;
  size_t border_ = 0;
};

}  // namespace

std::vector<ByteSpan> CutSentences(std::string_view text) {
  std::vector<ByteSpan> sentences;
  SentenceScanner scanner(text);
  while (const std::optional<Sentence> sentence = scanner.Next()) {
    const int64_t begin = sentences.empty() ? 0 : sentences.back().end;
    sentences.push_back({begin, sentence->next});
  }
  if (sentences.empty() && !text.empty()) {
    sentences.push_back({0, static_cast<int64_t>(text.size())});
  }
  return sentences;
}

std::vector<ByteSpan> CutUnits(std::string_view text, const CutOptions& options,
                               const CountPieces& count) {
  return UnitCutter(text, options, count).All();
}

std::vector<ByteSpan> CutSettledUnits(std::string_view prefix, const CutOptions& options,
                                      const CountPieces& count) {
  return UnitCutter(prefix, options, count).Settled();
}

bool IsQuestionOnly(std::string_view text) {
  SentenceScanner scanner(text);
  bool any = false;
  while (const std::optional<Sentence> sentence = scanner.Next()) {
    if (!IsQuestion(Slice(text, sentence->begin, sentence->end))) return false;
    any = true;
  }
  return any;
}

}  // namespace anabranch
