// Cutting a text into units: sentences of a size that an embedder reads well.
//
// A pure function of (text, parameters, kCutterVersion): it does not depend on how text arrived.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace anabranch {

// Bytes [begin, end) of a text.
struct ByteSpan {
  int64_t begin = 0, end = 0;
  friend bool operator==(const ByteSpan&, const ByteSpan&) = default;
};

inline constexpr int kCutterVersion = 2;

struct CutOptions {
  int min_pieces = 4;   // a shorter sentence joins a neighbour
  int max_pieces = 64;  // a longer one is split: at clauses, then words, then graphemes
};

using CountPieces = std::function<int(std::string_view)>;

// Sentences (ICU's break iterator, root locale; a blank line always ends one). They cover the text
// without a gap. Any bytes: invalid UTF-8 counts as one character per byte.
std::vector<ByteSpan> CutSentences(std::string_view text);

// Units of the text: in order, covering all of it but white space between them; each of at most
// max_pieces (but for a single character that has more) and 4096 bytes. A question joins questions
// alone, so that a unit that only asks can be told. A unit's pieces are counted by `count`.
std::vector<ByteSpan> CutUnits(std::string_view text, const CutOptions& options,
                               const CountPieces& count);

// Only units that no later text can change: of a text that is still growing. The pending rest
// begins at the end of the last one, and can be cut on its own: for any prefix of a whole text,
// CutUnits(whole) is CutSettledUnits(prefix) followed by CutUnits(what is behind them).
// What is pending is bounded: some 8 kB, if its characters have pieces at all.
std::vector<ByteSpan> CutSettledUnits(std::string_view prefix, const CutOptions& options,
                                      const CountPieces& count);

// True of a text that only asks: every sentence of it ends in a question mark (any script's).
bool IsQuestionOnly(std::string_view text);

}  // namespace anabranch
