// Sentences of a text, one after the other, each with the word whether later text may change it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/text_breaks.h"

namespace anabranch {

// A sentence, and a unit, is at most this long: it bounds what a growing text holds back.
inline constexpr int64_t kMaxUnitBytes = 4096;

// Of a sentence without white space around it: a question mark among the marks that end it.
bool IsQuestion(std::string_view sentence);
// True of a text whose last sentence is whole: it ends in a mark that ends one (any script's), but
// for quotes, brackets and white space behind it.
bool EndsSentence(std::string_view text);

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
  std::optional<Sentence> Next();

  Splitter& splitter() { return splitter_; }

  // A copy of up to kMaxUnitBytes from `begin` that ICU can read: bytes that are no UTF-8 stand as
  // kInvalidByte, and a line end within wrapped prose as a space.
  const std::string& Mask(int64_t begin);

 private:
  // True of a line end at `at`, behind `length` bytes of the line (or of its last sentence), that
  // only wraps a sentence.
  bool JoinsLines(int64_t at, int64_t length) const;

  // Where the first sentence of masked_ ends.
  int64_t FirstEnd();

  // ICU ends a sentence at `end` where we do not: behind an abbreviation ("Dr. Who"), and behind a
  // quotation that the sentence goes on after ('"Who?" she asked').
  bool ContinuesAt(int64_t end) const;

  bool IsSettled(int64_t begin, int64_t end) const;

  std::string_view text_;
  int64_t next_ = 0;
  std::string masked_;
  Breaks sentences_{UBRK_SENTENCE};
  Splitter splitter_;
};

}  // namespace anabranch
