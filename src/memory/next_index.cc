#include "memory/next_index.h"

#include <fmt/format.h>

#include <utility>

#include "memory/journal_store.h"
#include "memory/term_counts.h"
#include "memory/unit_store.h"
#include "text/cutter.h"

namespace anabranch {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS next_index (
  stream INTEGER PRIMARY KEY REFERENCES stream(id),
  embedder TEXT NOT NULL,
  cutter INTEGER NOT NULL,
  indexed_text INTEGER NOT NULL,
  null_scores BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS next_unit (
  key INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES stream(id),
  text_begin INTEGER NOT NULL,
  text_end INTEGER NOT NULL,
  "begin" INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  role INTEGER NOT NULL,
  question INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  vector BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS next_unit_stream ON next_unit(stream);
)";

Result<bool> HasTables(Database* db) {
  ASSIGN_OR_RETURN(const int64_t tables,
                   db->QueryInt("SELECT count(*) FROM sqlite_master WHERE name = 'next_unit'"));
  return tables > 0;
}

}  // namespace

Result<void> NextIndex::Drop(Database* db, int64_t stream) {
  ASSIGN_OR_RETURN(const bool there, HasTables(db));
  if (!there) return {};
  for (const char* sql :
       {"DELETE FROM next_unit WHERE stream = ?1", "DELETE FROM next_index WHERE stream = ?1"}) {
    ASSIGN_OR_RETURN(Statement drop, db->Prepare(sql));
    RETURN_IF_ERROR(drop.Bind(1, stream).Run());
  }
  ASSIGN_OR_RETURN(const int64_t left, db->QueryInt("SELECT count(*) FROM next_index"));
  return left > 0 ? Result<void>() : db->Exec("DROP TABLE next_unit; DROP TABLE next_index");
}

Result<NextState> NextIndex::Begin(const EmbedderHandle& embedder) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_));
  RETURN_IF_ERROR(db_->Exec(kTables));
  {
    ASSIGN_OR_RETURN(Statement select,
                     db_->Prepare("SELECT indexed_text, null_scores FROM next_index "
                                  "WHERE stream = ?1 AND embedder = ?2 AND cutter = ?3"));
    select.Bind(1, stream_).BindText(2, embedder.fingerprint).Bind(3, kCutterVersion);
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (row) return NextState{select.Int(0), Floats(select.Blob(1))};
  }
  RETURN_IF_ERROR(Drop(db_, stream_));
  RETURN_IF_ERROR(db_->Exec(kTables));
  ASSIGN_OR_RETURN(Statement insert, db_->Prepare("INSERT INTO next_index VALUES(?1, ?2, ?3, 0, "
                                                  "zeroblob(0))"));
  RETURN_IF_ERROR(
      insert.Bind(1, stream_).BindText(2, embedder.fingerprint).Bind(3, kCutterVersion).Run());
  RETURN_IF_ERROR(transaction.Commit());
  return NextState{};
}

Result<bool> NextIndex::Add(const NextState& before, const CutRun& cut,
                            std::span<const float> vectors, const NextState& after) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_));
  ASSIGN_OR_RETURN(const bool there, HasTables(db_));
  if (!there) return false;
  ASSIGN_OR_RETURN(Statement state,
                   db_->Prepare("UPDATE next_index SET indexed_text = ?3, null_scores = ?4 "
                                "WHERE stream = ?1 AND indexed_text = ?2"));
  RETURN_IF_ERROR(state.Bind(1, stream_)
                      .Bind(2, before.indexed_text)
                      .Bind(3, after.indexed_text)
                      .BindBlob(4, AsBlob(std::span<const float>(after.null_scores)))
                      .Run());
  if (db_->changes() == 0) return false;
  ASSIGN_OR_RETURN(Statement insert,
                   db_->Prepare(fmt::format("INSERT INTO next_unit(stream, vector, {}) "
                                            "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                                            kUnitColumns)));
  const size_t width = cut.units.empty() ? 0 : vectors.size() / cut.units.size();
  for (size_t i = 0; i < cut.units.size(); ++i) {
    insert.Bind(1, stream_).BindBlob(2, AsBlob(vectors.subspan(i * width, width)));
    BindUnit(cut.units[i], 3, &insert);
    RETURN_IF_ERROR(insert.Run());
  }
  RETURN_IF_ERROR(transaction.Commit());
  return true;
}

Result<void> NextIndex::Switch() {
  UnitStore units(db_, stream_, name_);
  const JournalStore journal(db_, stream_);
  TermCounts terms(db_, stream_);
  {
    ASSIGN_OR_RETURN(Statement uncount,
                     db_->Prepare("UPDATE stream SET counted_text = 0 WHERE id = ?1"));
    RETURN_IF_ERROR(uncount.Bind(1, stream_).Run());
    ASSIGN_OR_RETURN(
        Statement select,
        db_->Prepare(fmt::format("SELECT vector, {} FROM next_unit WHERE stream = ?1 ORDER BY key",
                                 kUnitColumns)));
    select.Bind(1, stream_);
    while (true) {
      ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) break;
      ASSIGN_OR_RETURN(UnitRow unit, UnitAt(select, 1, *db_));
      ASSIGN_OR_RETURN(const std::string text, journal.Text(unit.text_begin, unit.text_end));
      RETURN_IF_ERROR(units.Insert(&unit, Floats(select.Blob(0)), text));
      terms.Add(text);
    }
    RETURN_IF_ERROR(terms.Write());
    ASSIGN_OR_RETURN(
        Statement state,
        db_->Prepare("UPDATE stream SET (indexed_text, null_scores) = (SELECT indexed_text, "
                     "null_scores FROM next_index WHERE stream = ?1) WHERE id = ?1"));
    RETURN_IF_ERROR(state.Bind(1, stream_).Run());
  }
  return Drop(db_, stream_);
}

}  // namespace anabranch
