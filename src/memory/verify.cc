#include "memory/verify.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "memory/index_check.h"
#include "memory/indexer.h"
#include "memory/lexical.h"
#include "memory/schema.h"
#include "memory/stream_info.h"
#include "memory/unit_store.h"
#include "text/words.h"

namespace anabranch {
namespace {

constexpr size_t kMaxFaults = 100;  // enough to see what is wrong

// A set of words as the sum of their hashes.
uint64_t WordHash(std::string_view word) { return XXH3_64bits(word.data(), word.size()); }

class Verifier {
 public:
  Verifier(Database* db, const EmbedderHandle& embedder, VerifyReport* report)
      : db_(db), embedder_(embedder), report_(report) {}

  void Run() {
    Note("word index", OpenWords());
    // Of one state: others write to the file meanwhile.
    const Result<Snapshot> snapshot = Snapshot::Begin(db_);
    if (!snapshot) return Note("file", tl::make_unexpected(snapshot.error()));
    Note("file", CheckFile());
    Note("word index", ReadWords());
    const Result<std::vector<StreamRow>> streams = ListStreams(db_, "");
    if (!streams) return Note("file", tl::make_unexpected(streams.error()));
    for (const StreamRow& stream : *streams) {
      Note(stream.name, CheckStream(stream.id, stream.name));
      Result<MemoryStreamInfo> info = DescribeStream(db_, stream);
      if (info) report_->streams.push_back(*std::move(info));
    }
    if (!words_.empty()) Fault("word index", fmt::format("{} rows are of no unit", words_.size()));
  }

 private:
  void Fault(const std::string& where, const std::string& what) {
    report_->ok = false;
    if (report_->faults.size() < kMaxFaults) report_->faults.push_back(where + ": " + what);
  }
  void Note(const std::string& where, const Result<void>& result) {
    if (!result) Fault(where, result.error().fault);
  }

  Result<void> CheckFile() {
    ASSIGN_OR_RETURN(Statement check, db_->Prepare("PRAGMA integrity_check"));
    while (true) {
      ASSIGN_OR_RETURN(const bool row, check.Step());
      if (!row) break;
      if (check.Text(0) != "ok") Fault("file", std::string(check.Text(0)));
    }
    ASSIGN_OR_RETURN(const int64_t orphans,
                     db_->QueryInt("SELECT count(*) FROM vector WHERE unit NOT IN "
                                   "(SELECT key FROM unit)"));
    if (orphans > 0) Fault("vectors", fmt::format("{} belong to no unit", orphans));
    // Those that a server has acknowledged may be there alone.
    ASSIGN_OR_RETURN(const std::string width, ReadMeta(db_, "embedder width"));
    ASSIGN_OR_RETURN(
        Statement vectors,
        db_->Prepare("SELECT count(*) FROM unit LEFT JOIN vector ON vector.unit = unit.key "
                     "LEFT JOIN remote ON remote.stream = unit.stream "
                     "WHERE length(data) <> 4 * ?1 OR "
                     "(data IS NULL AND key > coalesce(drained_unit, 0))"));
    RETURN_IF_ERROR(vectors.Bind(1, std::atoll(width.c_str())).Step());
    if (vectors.Int(0) > 0) {
      Fault("vectors", fmt::format("{} are missing or not {} wide", vectors.Int(0), width));
    }
    return {};
  }

  // The word index's rows, read through fts5vocab: its own integrity check would write.
  Result<void> OpenWords() {
    return db_->Exec(
        "PRAGMA temp_store = MEMORY; DROP TABLE IF EXISTS temp.words; "
        "CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'unit_words', 'instance')");
  }
  Result<void> ReadWords() {
    ASSIGN_OR_RETURN(Statement select, db_->Prepare("SELECT term, doc FROM temp.words"));
    std::string last_word;
    int64_t last_unit = 0;
    while (true) {
      ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return {};
      // A word that a unit holds twice counts once.
      if (select.Int(1) == last_unit && select.Text(0) == last_word) continue;
      last_word = select.Text(0);
      last_unit = select.Int(1);
      words_[last_unit] += WordHash(last_word);
    }
  }

  Result<void> CheckStream(int64_t id, const std::string& name) {
    const JournalStore journal(db_, id);
    const UnitStore units(db_, id, name);
    Note(name, CheckJournal(journal, name));
    ASSIGN_OR_RETURN(const std::vector<UnitRow> rows, units.Rows());
    for (const UnitRow& row : rows) RETURN_IF_ERROR(CheckUnit(journal, name, row));
    CheckIds(units, name, rows);
    ASSIGN_OR_RETURN(Statement scores,
                     db_->Prepare("SELECT null_scores FROM stream WHERE id = ?1"));
    RETURN_IF_ERROR(scores.Bind(1, id).Step());
    ASSIGN_OR_RETURN(const std::vector<std::string> faults, IndexFaults(db_, id));
    for (const std::string& fault : faults) Fault(name, fault);
    if (!AreCosines(Floats(scores.Blob(0)))) Fault(name, "its null scores are no cosines");
    ASSIGN_OR_RETURN(const int64_t indexed_text, units.IndexedText());
    RETURN_IF_ERROR(CheckNoHole(journal, name, rows, indexed_text));
    return embedder_.count_pieces ? CheckCut(journal, name, rows, indexed_text) : Result<void>();
  }

  // No two units are one to a server.
  void CheckIds(const UnitStore& units, const std::string& name, const std::vector<UnitRow>& rows) {
    std::vector<UnitId> ids;
    for (const UnitRow& row : rows) ids.push_back(units.IdOf(row));
    std::sort(ids.begin(), ids.end());
    const auto twice = std::adjacent_find(ids.begin(), ids.end());
    if (twice != ids.end()) {
      Fault(name, fmt::format("two of its units have the id {:016x}", twice->value()));
    }
  }

  // Records are contiguous from position 0 on, and so is their text.
  Result<void> CheckJournal(const JournalStore& journal, const std::string& name) {
    StreamPos end;
    int64_t n = 0, text_end = 0;
    RETURN_IF_ERROR(journal.ForEach(kAllPositions, [&](const StoredRecord& stored) -> Result<void> {
      const int64_t begin = stored.record.begin.value();
      if (stored.record.begin != end) {
        Fault(name,
              fmt::format("the record at {} follows one that ends at {}", begin, end.value()));
      }
      if (stored.text_begin < text_end) {
        Fault(name,
              fmt::format("the text of the record at {} begins before the last one ends", begin));
      }
      end = stored.end;
      text_end = stored.text_end();
      ++n;
      return {};
    }));
    ASSIGN_OR_RETURN(const int64_t count, journal.Count());
    if (n != count) {
      Fault(name, fmt::format("{} of {} records lie outside of the stream", count - n, count));
    }
    return {};
  }

  // A unit's words, text and span follow from the journal.
  Result<void> CheckUnit(const JournalStore& journal, const std::string& name, const UnitRow& row) {
    const std::string where =
        fmt::format("{}, unit at text [{}, {})", name, row.text_begin, row.text_end);
    ASSIGN_OR_RETURN(Statement vector, db_->Prepare("SELECT data FROM vector WHERE unit = ?1"));
    ASSIGN_OR_RETURN(const bool has_vector, vector.Bind(1, row.key).Step());
    if (has_vector && !AreCosines(Floats(vector.Blob(0)))) {
      Fault(where, "its vector is not of unit length");
    }
    const auto indexed = words_.extract(row.key);
    const int64_t size = row.text_end - row.text_begin;
    ASSIGN_OR_RETURN(const std::optional<RunText> run, journal.NextRun(row.text_begin, size));
    if (!run || run->text_begin != row.text_begin || run->text_end() < row.text_end) {
      Fault(where, "the journal does not have its text");
      return {};
    }
    if (run->TokenAt(row.text_begin) != row.span.begin ||
        run->TokenAt(row.text_end - 1) >= row.span.end) {
      Fault(where, "its tokens are not those of its text");
    } else if (run->PieceAt(row.text_begin).role != row.role) {
      Fault(where, "its role is not that of its text");
    }
    uint64_t words = 0;
    for (const std::string& word :
         LexicalWords(std::string_view(run->text).substr(0, static_cast<size_t>(size)))) {
      words += WordHash(IndexedWord(journal.stream(), word));
    }
    if (words != (indexed.empty() ? 0 : indexed.mapped())) {
      Fault(where, "the word index does not have its words");
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

  // The units are what the cutter makes of the journal up to `indexed_text`.
  Result<void> CheckCut(const JournalStore& journal, const std::string& name,
                        const std::vector<UnitRow>& rows, int64_t indexed_text) {
    size_t i = 0;
    SettledText settled;
    for (int64_t from = 0; from < indexed_text; from = settled.cut.next_text) {
      ASSIGN_OR_RETURN(const bool found, NextSettled(journal, from, embedder_, &settled));
      if (!found) break;
      for (const UnitRow& derived : settled.cut.units) {
        if (derived.text_begin >= indexed_text) break;
        if (i < rows.size() && SameUnit(rows[i], derived)) {
          ++i;
          continue;
        }
        // The last unit of a text may be cut in two that were not its last once.
        if (i + 1 < rows.size() && rows[i].text_begin == derived.text_begin &&
            rows[i + 1].text_end == derived.text_end) {
          const int64_t next = i + 2 < rows.size() ? rows[i + 2].text_begin : kMaxCoordinate;
          ASSIGN_OR_RETURN(const bool forgotten,
                           IsForgottenBetween(journal, derived.text_end, next));
          if (forgotten) {
            i += 2;
            continue;
          }
        }
        Fault(name, fmt::format("the cutter derives a unit at text [{}, {}), the index has {}",
                                derived.text_begin, derived.text_end,
                                i < rows.size() ? fmt::format("one at [{}, {}) that differs",
                                                              rows[i].text_begin, rows[i].text_end)
                                                : "none"));
        return {};
      }
    }
    if (i < rows.size()) {
      Fault(name, fmt::format("the index has a unit at text {} that the cutter does not derive",
                              rows[i].text_begin));
    }
    return {};
  }

  // Text between two units was forgotten: what is before it may have been cut while it was there.
  Result<bool> IsForgottenBetween(const JournalStore& journal, int64_t text_begin,
                                  int64_t text_end) {
    ASSIGN_OR_RETURN(Statement select,
                     db_->Prepare("SELECT 1 FROM record WHERE stream = ?1 AND kind = 4 AND "
                                  "text_begin BETWEEN ?2 AND ?3"));
    return select.Bind(1, journal.stream()).Bind(2, text_begin).Bind(3, text_end).Step();
  }

  static bool SameUnit(const UnitRow& a, const UnitRow& b) {
    return a.text_begin == b.text_begin && a.text_end == b.text_end &&
           a.span.begin == b.span.begin && a.turn == b.turn && a.time_ms == b.time_ms &&
           a.role == b.role && a.question == b.question;
  }

  Database* db_;
  const EmbedderHandle& embedder_;
  VerifyReport* report_;
  std::unordered_map<int64_t, uint64_t> words_;  // of the index by unit, those not yet checked
};

// Error kInvalid: `embedder` is not the one that the file's units were cut for.
Result<void> CheckEmbedder(Database* db, const EmbedderHandle& embedder) {
  ASSIGN_OR_RETURN(const std::string theirs, ReadMeta(db, "embedder"));
  if (!embedder.count_pieces || theirs.empty() || theirs == embedder.fingerprint) return {};
  return Fail(
      ErrorKind::kInvalid, db->name(),
      fmt::format("was made with embedder {}, and this is {}", theirs, embedder.fingerprint),
      "name that embedder");
}

Result<VerifyReport> VerifyOnce(const std::string& path, const EmbedderHandle& embedder) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> db, OpenStoreToRead(path, path));
  RETURN_IF_ERROR(CheckEmbedder(db.get(), embedder));
  return VerifyDatabase(db.get(), embedder);
}

// When the files of a database were last written to; 0: one is not there.
std::array<int64_t, 3> FileState(const std::string& path) {
  std::array<int64_t, 3> state = {};
  size_t i = 0;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat file = {};
    if (stat((path + suffix).c_str(), &file) == 0) {
      state[i] = file.st_mtim.tv_sec * 1000000000 + file.st_mtim.tv_nsec;
    }
    ++i;
  }
  return state;
}

}  // namespace

VerifyReport VerifyDatabase(Database* db, const EmbedderHandle& embedder) {
  VerifyReport report;
  report.cut_checked = static_cast<bool>(embedder.count_pieces);
  Verifier(db, embedder, &report).Run();
  return report;
}

Result<VerifyReport> VerifyFile(const std::string& path, const EmbedderHandle& embedder) {
  // Where nobody has the file open it is read without a lock, which keeps nobody from coming then,
  // nor from going while it is opened: faults count if nothing has changed meanwhile.
  constexpr int kTries = 5;
  for (int tries = 1;; ++tries) {
    const auto before = FileState(path);
    Result<VerifyReport> report = VerifyOnce(path, embedder);
    const bool sound = report && report->ok;
    if (sound || tries == kTries || FileState(path) == before) return report;
  }
}

}  // namespace anabranch
