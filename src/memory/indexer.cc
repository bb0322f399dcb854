#include "memory/indexer.h"

#include <algorithm>

#include "memory/unit_store.h"

namespace anabranch {
namespace {

constexpr size_t kEmbedBatch = 64;
// Text that is cut, embedded and written in one transaction.
constexpr int64_t kRunBytes = 64 * 1024;

}  // namespace

CutRun CutRunText(const RunText& run, bool all, const EmbedderHandle& embedder) {
  CutRun cut;
  const std::vector<ByteSpan> spans =
      all ? CutUnits(run.text, embedder.units, embedder.count_pieces)
          : CutSettledUnits(run.text, embedder.units, embedder.count_pieces);
  const std::string_view text = run.text;
  for (size_t i = 0; i < spans.size(); ++i) {
    UnitRow unit;
    unit.text_begin = run.text_begin + spans[i].begin;
    unit.text_end = run.text_begin + spans[i].end;
    const TextPiece& piece = run.PieceAt(unit.text_begin);
    // Up to the next unit, white space and template tokens between turns included: neighbours of a
    // run touch.
    const size_t next = i + 1 < spans.size()
                            ? static_cast<size_t>(spans[i + 1].begin)
                            : text.find_first_not_of(" \t\r\n", static_cast<size_t>(spans[i].end));
    unit.span.begin = run.TokenAt(unit.text_begin);
    unit.span.end = run.TokenAt(unit.text_end - 1) + 1;
    if (next < text.size()) {
      unit.span.end =
          std::max(unit.span.end, run.TokenAt(run.text_begin + static_cast<int64_t>(next)));
    }
    unit.turn = piece.turn;
    unit.time_ms = piece.time_ms;
    unit.role = piece.role;
    cut.texts.push_back(text.substr(static_cast<size_t>(spans[i].begin),
                                    static_cast<size_t>(spans[i].end - spans[i].begin)));
    unit.question = IsQuestionOnly(cut.texts.back());
    cut.units.push_back(unit);
  }
  cut.next_text = all                 ? run.text_end()
                  : cut.units.empty() ? run.text_begin
                                      : cut.units.back().text_end;
  return cut;
}

Result<bool> NextSettled(const JournalStore& journal, int64_t from, const EmbedderHandle& embedder,
                         SettledText* settled) {
  for (int64_t max_bytes = kRunBytes;; max_bytes *= 2) {
    ASSIGN_OR_RETURN(std::optional<RunText> run, journal.NextRun(from, max_bytes));
    if (!run) return false;
    settled->run = *std::move(run);
    settled->cut = CutRunText(settled->run, settled->run.closed, embedder);
    if (settled->cut.next_text > settled->run.text_begin) return true;
    // In so much text nothing is settled: white space, or no pieces at all.
    if (static_cast<int64_t>(settled->run.text.size()) < max_bytes) return false;
  }
}

Result<std::vector<float>> EmbedAll(const EmbedderHandle& embedder,
                                    std::span<const std::string_view> texts) {
  const auto width = static_cast<size_t>(embedder.width);
  std::vector<float> vectors(texts.size() * width);
  for (size_t i = 0; i < texts.size(); i += kEmbedBatch) {
    const size_t n = std::min(kEmbedBatch, texts.size() - i);
    RETURN_IF_ERROR(embedder.embed(texts.subspan(i, n),
                                   std::span<float>(vectors).subspan(i * width, n * width)));
  }
  if (!AreCosines(vectors)) {
    return Fail(ErrorKind::kCorrupt, "embedder", "gives vectors that are not of unit length",
                "check its weights");
  }
  return vectors;
}

}  // namespace anabranch
