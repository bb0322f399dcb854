// Where a text may be cut: characters, ICU's break iterators, the best border for a cut.
#pragma once

#include <unicode/ubrk.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace anabranch {

struct CharAt {
  int32_t c = 0;     // a code point; < 0: not UTF-8
  int64_t next = 0;  // where the character after it begins; of DecodeBefore: where it begins itself
};

// The character that begins at byte `at`, or that ends there.
CharAt DecodeAt(std::string_view text, int64_t at);
CharAt DecodeBefore(std::string_view text, int64_t at);

bool IsSpace(int32_t c);
// The first byte at or behind `at` that is no white space.
int64_t SkipSpace(std::string_view text, int64_t at);
// `end`, or where white space before it begins.
int64_t TrimEnd(std::string_view text, int64_t begin, int64_t end);
std::string_view Slice(std::string_view text, int64_t begin, int64_t end);

// One of ICU's break iterators over a piece of text.
class Breaks {
 public:
  explicit Breaks(UBreakIteratorType type);
  // `text` must stay until the next call. Valid UTF-8.
  void SetText(std::string_view text);
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
  // Text [begin, end), in which ICU finds its way: see sentence_scanner.h.
  void SetText(std::string_view original, std::string_view masked);

  // Ends of the characters that people see.
  const std::vector<int64_t>& graphemes() const { return graphemes_; }

  // The best border in the second half of [from, graphemes()[last]]: an end of a line, of a clause,
  // of a word; else that grapheme itself.
  int64_t BestCut(int64_t from, size_t last);

 private:
  int Rank(int64_t at) const;

  int64_t LastWordEnd(int64_t half, size_t last);

  Breaks characters_{UBRK_CHARACTER};
  Breaks words_{UBRK_WORD};
  std::string_view original_, masked_;
  std::vector<int64_t> graphemes_;
};

}  // namespace anabranch
