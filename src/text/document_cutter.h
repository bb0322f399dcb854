// Cutting a document into turns: at its headings and between its paragraphs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/documents.h"

namespace anabranch {

struct Heading {
  int level = 1;
  int64_t begin = 0;  // byte of the document at which its text begins
  std::string text;   // without marks; of a long one the first kMaxHeadingBytes
};

// Reads a document once, in constant memory. Pieces follow one another without a gap. A piece ends,
// in this order of preference, before a heading (Markdown; ATX and setext) whatever its size; else
// where a block begins; a sentence; a line; a word; a character. Headings that follow one another
// stay with the text under the last one. Fenced code is cut only where it is longer than
// kMaxPieceBytes, and then between lines. Front matter is a piece of its own.
//
// The pieces are a pure function of the document: they do not depend on how it is handed over.
class DocumentCutter {
 public:
  static constexpr size_t kPieceBytes = 2048;  // of text; some 500 tokens
  // Of fenced code, front matter and blank lines, which are not cut at kPieceBytes.
  static constexpr size_t kMaxPieceBytes = 8192;
  static constexpr size_t kMaxHeadingBytes = 200;
  static constexpr size_t kLookAhead = 2 * kMaxPieceBytes;

  explicit DocumentCutter(DocumentFormat format) : markdown_(format == DocumentFormat::kMarkdown) {}

  // The size of the next piece, at least 1. `ahead` is what follows the last piece and not empty:
  // kLookAhead bytes or more, or all that is left.
  size_t Next(std::string_view ahead);
  // Those that the last piece stands under, the outermost first.
  const std::vector<Heading>& headings() const { return headings_; }

 private:
  struct Fence {
    char mark = '`';
    size_t size = 3;
  };
  class Scan;

  const bool markdown_;
  int64_t at_ = 0;  // of the next piece
  std::vector<Heading> headings_;
  std::optional<Fence> fence_;  // of code that the last piece was cut in
};

}  // namespace anabranch
