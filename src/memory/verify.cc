// Verify: every claim that docs/formats.md makes of a memory file, checked.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "memory/index_check.h"
#include "memory/schema.h"
#include "memory/sqlite_memory.h"

namespace anabranch {
namespace {

constexpr size_t kMaxFaults = 100;  // enough to see what is wrong

class Verifier {
 public:
  Verifier(Database* db, VerifyReport* report) : db_(db), report_(report) {}

  Result<void> CheckFile() {
    ASSIGN_OR_RETURN(Statement check, db_->Prepare("PRAGMA integrity_check"));
    while (true) {
      ASSIGN_OR_RETURN(const bool row, check.Step());
      if (!row) break;
      if (check.Text(0) != "ok") Fault("file", std::string(check.Text(0)));
    }
    const auto words = db_->Exec("INSERT INTO unit_words(unit_words) VALUES('integrity-check')");
    if (!words) Fault("word index", words.error().fault);
    ASSIGN_OR_RETURN(const int64_t orphans,
                     db_->QueryInt("SELECT count(*) FROM vector WHERE unit NOT IN "
                                   "(SELECT key FROM unit)"));
    if (orphans > 0) Fault("vectors", fmt::format("{} belong to no unit", orphans));
    ASSIGN_OR_RETURN(const std::string width, ReadMeta(db_, "embedder width"));
    ASSIGN_OR_RETURN(
        Statement vectors,
        db_->Prepare(
            "SELECT count(*) FROM unit LEFT JOIN vector ON vector.unit = key "
            "LEFT JOIN remote ON remote.stream = unit.stream "
            "WHERE data IS NULL AND key > coalesce(drained_unit, 0) OR length(data) <> 4 * ?1"));
    RETURN_IF_ERROR(vectors.Bind(1, std::atoll(width.c_str())).Step());
    if (vectors.Int(0) > 0) {
      Fault("vectors", fmt::format("{} are missing or not {} wide", vectors.Int(0), width));
    }
    return {};
  }

  Result<void> CheckStream(int64_t id, const std::string& name) {
    const JournalStore journal(db_, id);
    const UnitStore units(db_, id, name);
    RETURN_IF_ERROR(CheckJournal(journal, name));
    ASSIGN_OR_RETURN(const std::vector<UnitRow> rows, units.Rows());
    for (const UnitRow& row : rows) RETURN_IF_ERROR(CheckUnit(journal, name, row));
    ASSIGN_OR_RETURN(Statement scores,
                     db_->Prepare("SELECT null_scores FROM stream WHERE id = ?1"));
    RETURN_IF_ERROR(scores.Bind(1, id).Step());
    ASSIGN_OR_RETURN(const std::vector<std::string> faults, IndexFaults(db_, id));
    for (const std::string& fault : faults) Fault(name, fault);
    if (!AreCosines(Floats(scores.Blob(0)))) Fault(name, "its null scores are no cosines");
    ASSIGN_OR_RETURN(const int64_t indexed_text, units.IndexedText());
    return CheckNoHole(journal, name, rows, indexed_text);
  }

  void Fault(const std::string& where, const std::string& what) {
    report_->ok = false;
    if (report_->faults.size() < kMaxFaults) report_->faults.push_back(where + ": " + what);
  }

 private:
  // Records are contiguous, and so is their text.
  Result<void> CheckJournal(const JournalStore& journal, const std::string& name) {
    std::optional<StoredRecord> last;
    int64_t n = 0;
    const StreamSpan all = {StreamPos(0), StreamPos(std::numeric_limits<int64_t>::max())};
    RETURN_IF_ERROR(journal.ForEach(all, [&](StoredRecord stored) -> Result<void> {
      ++n;
      if (last) {
        if (stored.record.begin != last->end) {
          Fault(name, fmt::format("the record at {} follows one that ends at {}",
                                  stored.record.begin.value(), last->end.value()));
        }
        if (stored.text_begin < last->text_end()) {
          Fault(name, fmt::format("the text of the record at {} begins before the last one ends",
                                  stored.record.begin.value()));
        }
      }
      last = std::move(stored);
      return {};
    }));
    ASSIGN_OR_RETURN(const int64_t count, journal.Count());
    if (n != count) {
      Fault(name, fmt::format("{} of {} records lie outside of the stream", count - n, count));
    }
    return {};
  }

  // A unit's id, text and span follow from the journal.
  Result<void> CheckUnit(const JournalStore& journal, const std::string& name, const UnitRow& row) {
    const std::string where =
        fmt::format("{}, unit at text [{}, {})", name, row.text_begin, row.text_end);
    ASSIGN_OR_RETURN(Statement unit,
                     db_->Prepare("SELECT id, data FROM unit LEFT JOIN vector ON unit = key "
                                  "WHERE key = ?1"));
    RETURN_IF_ERROR(unit.Bind(1, row.key).Step());
    if (UnitId(static_cast<uint64_t>(unit.Int(0))) !=
        MakeUnitId(name, row.text_begin, row.text_end)) {
      Fault(where, "its id is not that of its text");
    }
    if (!AreCosines(Floats(unit.Blob(1)))) Fault(where, "its vector is not of unit length");
    const int64_t size = row.text_end - row.text_begin;
    ASSIGN_OR_RETURN(const std::optional<RunText> run, journal.NextRun(row.text_begin, size));
    if (!run || run->text_begin != row.text_begin || run->text_end() < row.text_end) {
      Fault(where, "the journal does not have its text");
    } else if (run->TokenAt(row.text_begin) != row.span.begin ||
               run->TokenAt(row.text_end - 1) >= row.span.end) {
      Fault(where, "its tokens are not those of its text");
    } else if (run->PieceAt(row.text_begin).role != row.role) {
      Fault(where, "its role is not that of its text");
    }
    return {};
  }

  // All text before `indexed_text` is in a unit, but for white space.
  Result<void> CheckNoHole(const JournalStore& journal, const std::string& name,
                           const std::vector<UnitRow>& rows, int64_t indexed_text) {
    int64_t at = 0;
    for (size_t i = 0; i <= rows.size(); ++i) {
      const int64_t next = i < rows.size() ? rows[i].text_begin : indexed_text;
      if (next > at) {
        ASSIGN_OR_RETURN(const std::string text, journal.Text(at, next));
        if (!CutUnits(text, {}, [](std::string_view) { return 1; }).empty()) {
          Fault(name, fmt::format("text [{}, {}) is in no unit", at, next));
        }
      }
      if (i < rows.size()) at = std::max(at, rows[i].text_end);
    }
    return {};
  }

  Database* db_;
  VerifyReport* report_;
};

}  // namespace

Result<VerifyReport> SqliteMemory::Verify() {
  VerifyReport report;
  Verifier verifier(db_.get(), &report);
  const auto check = [&](const std::string& where, const Result<void>& result) {
    if (!result) verifier.Fault(where, result.error().fault);
  };
  check("file", verifier.CheckFile());
  const Result<std::vector<StreamRow>> streams = Streams("");
  if (!streams) {
    verifier.Fault("file", streams.error().fault);
    return report;
  }
  for (const StreamRow& stream : *streams) {
    check(stream.name, verifier.CheckStream(stream.id, stream.name));
    check(stream.name, VerifyAtServer(stream, &report));
    Result<MemoryStreamInfo> info = Describe(stream);
    if (info) report.streams.push_back(*std::move(info));
  }
  return report;
}

}  // namespace anabranch
