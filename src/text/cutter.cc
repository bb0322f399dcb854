// Units from sentences. Sentences, the split of those that are too long, and the joining of those
// that are too short: each is a pure function with a bounded look-ahead that can start anew at any
// border of its own. What is settled of a growing text follows from that.
#include "text/cutter.h"

#include <algorithm>
#include <optional>
#include <string>

#include "text/sentence_scanner.h"

namespace anabranch {
namespace {

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
    return span.end - span.begin <= kMaxUnitBytes && Pieces(span) <= options_.max_pieces;
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
