// Forgetting: text leaves the journal, its units, their vectors and words leave the index, in one
// transaction. From then on nothing here brings it back; what a server had been sent is noted for
// the drain in that transaction too. Then the write-ahead log is emptied of it.
#include <algorithm>
#include <limits>
#include <utility>

#include "memory/drain_store.h"
#include "memory/erasure.h"
#include "memory/next_index.h"
#include "memory/sqlite_memory.h"
#include "text/words.h"

namespace anabranch {
namespace {

// Sorted, disjoint, none empty.
std::vector<StreamSpan> Merge(std::vector<StreamSpan> spans) {
  std::erase_if(spans, [](const StreamSpan& span) { return span.size() <= 0; });
  std::sort(spans.begin(), spans.end(),
            [](const StreamSpan& a, const StreamSpan& b) { return a.begin < b.begin; });
  std::vector<StreamSpan> merged;
  for (const StreamSpan& span : spans) {
    if (!merged.empty() && span.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, span.end);
    } else {
      merged.push_back(span);
    }
  }
  return merged;
}

bool Touches(const std::vector<StreamSpan>& spans, const StreamSpan& span) {
  const auto next = std::partition_point(spans.begin(), spans.end(),
                                         [&](const StreamSpan& s) { return s.end <= span.begin; });
  return next != spans.end() && next->Overlaps(span);
}

// What is to be forgotten of one stream.
struct Selection {
  std::vector<StreamSpan> spans;
  std::vector<UnitRow> units;
  std::vector<int64_t> turns;
  int64_t text_bytes = 0;
};

class Selector {
 public:
  Selector(const JournalStore& journal, const UnitStore& units)
      : journal_(journal), units_(units) {}

  Result<Selection> Select(const ForgetSelection& what) {
    ASSIGN_OR_RETURN(rows_, units_.Rows());
    RETURN_IF_ERROR(ReadTail());
    std::vector<StreamSpan> spans;
    if (what.span) spans.push_back(*what.span);
    if (what.all) spans.push_back(kAllPositions);
    if (what.before_ms) {
      RETURN_IF_ERROR(journal_.ForEach(kAllPositions, [&](const StoredRecord& r) -> Result<void> {
        const bool text = r.record.kind == RecordKind::kText;
        if (text && r.record.time_ms < *what.before_ms) spans.push_back({r.record.begin, r.end});
        return {};
      }));
    }
    if (what.matching) RETURN_IF_ERROR(Match(FoldCase(*what.matching), &spans));
    return Complete(Merge(std::move(spans)));
  }

 private:
  Result<void> Match(const std::string& folded, std::vector<StreamSpan>* spans) const {
    for (const UnitRow& row : rows_) {
      ASSIGN_OR_RETURN(const std::string text, journal_.Text(row.text_begin, row.text_end));
      if (FoldCase(text).find(folded) != std::string::npos) spans->push_back(row.span);
    }
    for (const Sentence& sentence : tail_) {
      if (FoldCase(sentence.text).find(folded) != std::string::npos) {
        spans->push_back(sentence.span);
      }
    }
    return {};
  }

  // What is not indexed yet goes by sentences.
  Result<void> ReadTail() {
    ASSIGN_OR_RETURN(int64_t from, units_.IndexedText());
    while (true) {
      constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
      ASSIGN_OR_RETURN(const std::optional<RunText> run, journal_.NextRun(from, kNoLimit));
      if (!run) return {};
      from = run->text_end();
      const std::vector<ByteSpan> sentences = CutSentences(run->text);
      for (size_t i = 0; i < sentences.size(); ++i) {
        const ByteSpan& at = sentences[i];
        const StreamPos begin = run->TokenAt(run->text_begin + at.begin);
        StreamPos end = run->TokenAt(run->text_begin + at.end - 1) + 1;
        // A token that two share is the second one's, as of units.
        if (i + 1 < sentences.size()) {
          const StreamPos next = run->TokenAt(run->text_begin + sentences[i + 1].begin);
          end = std::max(begin + 1, std::min(end, next));
        }
        tail_.push_back({{begin, end},
                         run->text.substr(static_cast<size_t>(at.begin),
                                          static_cast<size_t>(at.end - at.begin))});
      }
    }
  }

  // Widens the spans to whole units and sentences of the tail, until none is touched in part; keeps
  // to what is there.
  Result<Selection> Complete(std::vector<StreamSpan> spans) const {
    Selection selection;
    for (size_t before = 0; !spans.empty();) {
      std::vector<StreamSpan> whole;
      selection.units.clear();
      for (const UnitRow& row : rows_) {
        if (!Touches(spans, row.span)) continue;
        selection.units.push_back(row);
        whole.push_back(row.span);
      }
      for (const Sentence& sentence : tail_) {
        if (Touches(spans, sentence.span)) whole.push_back(sentence.span);
      }
      if (whole.size() == before) break;
      before = whole.size();
      spans.insert(spans.end(), whole.begin(), whole.end());
      spans = Merge(std::move(spans));
    }
    for (const StreamSpan& span : spans) {
      std::vector<StreamSpan> there;
      RETURN_IF_ERROR(journal_.ForEach(span, [&](const StoredRecord& stored) -> Result<void> {
        if (IsMissing(stored.record.kind)) return {};
        const StoredRecord part = PartOf(stored, std::max(span.begin, stored.record.begin),
                                         std::min(span.end, stored.end));
        selection.text_bytes += static_cast<int64_t>(part.record.bytes.size());
        if (selection.turns.empty() || selection.turns.back() != part.record.turn) {
          selection.turns.push_back(part.record.turn);
        }
        there.push_back({part.record.begin, part.end});
        return {};
      }));
      there = Merge(std::move(there));
      selection.spans.insert(selection.spans.end(), there.begin(), there.end());
    }
    return selection;
  }

  struct Sentence {
    StreamSpan span;
    std::string text;
  };

  const JournalStore& journal_;
  const UnitStore& units_;
  std::vector<UnitRow> rows_;
  std::vector<Sentence> tail_;
};

// `followed`: a server has the stream too, and is told by the drain.
Result<void> Erase(const Selection& selection, bool followed, JournalStore* journal,
                   UnitStore* units) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(journal->db()));
  DrainStore drain(journal->db(), journal->stream());
  if (followed) {
    std::vector<UnitId> ids;
    for (const UnitRow& unit : selection.units) ids.push_back(units->IdOf(unit));
    for (const StreamSpan& span : selection.spans) {
      ASSIGN_OR_RETURN(const StreamSpan whole, journal->WholeRecords(span));
      RETURN_IF_ERROR(drain.NoteErased(whole, std::exchange(ids, {})));
    }
  }
  for (const UnitRow& unit : selection.units) {
    ASSIGN_OR_RETURN(const std::string text, journal->Text(unit.text_begin, unit.text_end));
    RETURN_IF_ERROR(units->Erase(unit, text));
  }
  for (const StreamSpan& span : selection.spans) RETURN_IF_ERROR(journal->EraseSpan(span));
  RETURN_IF_ERROR(NextIndex::Drop(journal->db(), journal->stream()));
  RETURN_IF_ERROR(units->PurgeWords());
  ASSIGN_OR_RETURN(const int64_t indexed_text, units->IndexedText());
  std::vector<float> null_scores;  // empty: scores are calibrated anew
  if (followed) {
    // That would take the vectors that are at the server.
    ASSIGN_OR_RETURN(null_scores, units->NullScores());
  }
  RETURN_IF_ERROR(units->SetIndexed(indexed_text, null_scores));
  RETURN_IF_ERROR(NoteRemoval(journal->db()));
  RETURN_IF_ERROR(MarkForErasure(journal->db()));
  return transaction.Commit();
}

}  // namespace

Result<ForgetResult> SqliteMemory::Forget(const std::string& stream, const ForgetSelection& what,
                                          bool dry_run) {
  const int given =
      (what.span ? 1 : 0) + (what.before_ms ? 1 : 0) + (what.matching ? 1 : 0) + (what.all ? 1 : 0);
  if (given != 1 || (what.matching && what.matching->empty())) {
    return Fail(ErrorKind::kInvalid, "forget", "what to forget is not said once",
                "give one of a span, a time, a text, or all");
  }
  ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(stream));
  ForgetResult result;
  Result<bool> forgotten = false;
  bool at_server = false;
  for (const StreamRow& row : streams) {
    forgotten = ForgetIn(row, what, dry_run, &result);
    if (!forgotten) break;
    at_server = at_server || *forgotten;
  }
  if (dry_run && forgotten) return result;
  // Of what went before an error, too.
  const std::chrono::milliseconds patience(what.timeout_ms);
  const Result<bool> erased = FinishErasure(db_.get(), patience);
  if (!forgotten) return tl::make_unexpected(forgotten.error());
  if (!erased) return tl::make_unexpected(erased.error());
  result.done = true;
  if (!*erased) {
    result.erased_when =
        "other readers of the file have ended: then the next to open it empties its log";
  }
  if (at_server) {
    ASSIGN_OR_RETURN(const std::string left, LeftAtServer(patience));
    result.erased_when += (result.erased_when.empty() ? "" : "; and when ") + left;
  }
  if (result.erased_when.empty()) result.grade = ForgetGrade::kErased;
  return result;
}

Result<bool> SqliteMemory::ForgetIn(const StreamRow& stream, const ForgetSelection& what,
                                    bool dry_run, ForgetResult* result) {
  const auto open = open_.find(stream.name);
  ASSIGN_OR_RETURN(const bool followed, DrainStore(db_.get(), stream.id).IsFollowed());
  StreamLock lock;
  if (open != open_.end()) {
    RETURN_IF_ERROR(open->second->Sync());
  } else if (!dry_run) {
    ASSIGN_OR_RETURN(lock, Lock(stream.name));
    if (followed && server_ != nullptr) {
      RETURN_IF_ERROR(OpenAtServer(stream.id, stream.name, stream.tokenizer));
    }
  }
  JournalStore journal(db_.get(), stream.id);
  UnitStore units(db_.get(), stream.id, stream.name);
  ASSIGN_OR_RETURN(const Selection selection, Selector(journal, units).Select(what));
  result->units += static_cast<int64_t>(selection.units.size());
  result->text_bytes += selection.text_bytes;
  result->spans.insert(result->spans.end(), selection.spans.begin(), selection.spans.end());
  result->turns.insert(result->turns.end(), selection.turns.begin(), selection.turns.end());
  if (dry_run || selection.spans.empty()) return followed;
  RETURN_IF_ERROR(Erase(selection, followed, &journal, &units));
  if (open != open_.end()) RETURN_IF_ERROR(open->second->Reload());
  return followed;
}

}  // namespace anabranch
