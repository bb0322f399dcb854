#include "memory/unit_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "memory/journal_store.h"
#include "memory/lexical.h"
#include "memory/vector_code.h"
#include "text/words.h"

namespace anabranch {
namespace {

// What heals an index.
constexpr const char* kReindex = "memory reindex builds the index again from the journal";

}  // namespace

std::vector<float> Floats(std::span<const std::byte> blob) {
  std::vector<float> values(blob.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), blob.data(), values.size() * sizeof(float));
  return values;
}

bool AreCosines(std::span<const float> values) {
  constexpr float kMost = 2;  // rounding stays far below it, and damage rarely does; no NaN passes
  return std::all_of(values.begin(), values.end(), [](float v) { return std::fabs(v) <= kMost; });
}

void BindUnit(const UnitRow& unit, int first, Statement* statement) {
  statement->Bind(first, unit.text_begin)
      .Bind(first + 1, unit.text_end)
      .Bind(first + 2, unit.span.begin.value())
      .Bind(first + 3, unit.span.end.value())
      .Bind(first + 4, unit.turn)
      .Bind(first + 5, static_cast<int64_t>(unit.role))
      .Bind(first + 6, unit.question ? 1 : 0)
      .Bind(first + 7, unit.time_ms);
}

Result<UnitRow> UnitAt(const Statement& row, int first, const Database& db) {
  UnitRow unit;
  unit.text_begin = row.Int(first);
  unit.text_end = row.Int(first + 1);
  unit.span = {StreamPos(row.Int(first + 2)), StreamPos(row.Int(first + 3))};
  unit.turn = row.Int(first + 4);
  const int64_t role = row.Int(first + 5);
  unit.role = static_cast<Role>(role);
  unit.question = row.Int(first + 6) != 0;
  unit.time_ms = row.Int(first + 7);
  if (unit.text_begin < 0 || unit.text_end <= unit.text_begin || unit.text_end > kMaxCoordinate ||
      unit.span.begin.value() < 0 || unit.span.end <= unit.span.begin ||
      unit.span.end.value() > kMaxCoordinate || unit.turn < 0 || unit.turn >= kMaxCoordinate ||
      role < 0 || role > static_cast<int64_t>(Role::kAssistant)) {
    return Fail(ErrorKind::kCorrupt, db.name(),
                fmt::format("the unit at text [{}, {}) is damaged", unit.text_begin, unit.text_end),
                kReindex);
  }
  return unit;
}

Result<void> IndexWordsOfAll(Database* db) {
  ASSIGN_OR_RETURN(Statement units,
                   db->Prepare("SELECT key, stream, text_begin, text_end FROM unit ORDER BY key"));
  ASSIGN_OR_RETURN(Statement index,
                   db->Prepare("INSERT INTO unit_words(rowid, words) VALUES(?1, ?2)"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, units.Step());
    if (!row) return {};
    ASSIGN_OR_RETURN(const std::string text,
                     JournalStore(db, units.Int(1)).Text(units.Int(2), units.Int(3)));
    RETURN_IF_ERROR(
        index.Bind(1, units.Int(0)).BindText(2, IndexedWords(units.Int(1), text)).Run());
  }
}

Result<void> UnitStore::Insert(UnitRow* unit, std::span<const float> vector,
                               std::string_view text) {
  ASSIGN_OR_RETURN(Statement insert,
                   db_->Prepare(fmt::format("INSERT OR IGNORE INTO unit(stream, {}) "
                                            "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                                            kUnitColumns)));
  BindUnit(*unit, 2, &insert.Bind(1, stream_));
  RETURN_IF_ERROR(insert.Run());
  if (db_->changes() == 0) {
    return Fail(ErrorKind::kCorrupt, db_->name(),
                fmt::format("a unit at text {} is indexed already", unit->text_begin), kReindex);
  }
  unit->key = db_->last_insert_rowid();
  ASSIGN_OR_RETURN(Statement insert_vector,
                   db_->Prepare("INSERT INTO vector(unit, data) VALUES(?1, ?2)"));
  RETURN_IF_ERROR(insert_vector.Bind(1, unit->key).BindBlob(2, AsBlob(vector)).Run());
  ASSIGN_OR_RETURN(Statement insert_code,
                   db_->Prepare("INSERT INTO code(unit, data) VALUES(?1, ?2)"));
  RETURN_IF_ERROR(insert_code.Bind(1, unit->key).BindBlob(2, EncodeVector(vector)).Run());
  ASSIGN_OR_RETURN(Statement insert_words,
                   db_->Prepare("INSERT INTO unit_words(rowid, words) VALUES(?1, ?2)"));
  RETURN_IF_ERROR(insert_words.Bind(1, unit->key).BindText(2, IndexedWords(stream_, text)).Run());
  return Count(*unit, text, 1);
}

// Counts a unit's words anew, if they are counted already (TermCounts).
Result<void> UnitStore::Count(const UnitRow& unit, std::string_view text, int64_t n) {
  ASSIGN_OR_RETURN(Statement counted,
                   db_->Prepare("SELECT counted_text FROM stream WHERE id = ?1"));
  ASSIGN_OR_RETURN(const bool row, counted.Bind(1, stream_).Step());
  if (!row || unit.text_begin >= counted.Int(0)) return {};
  ASSIGN_OR_RETURN(Statement add,
                   db_->Prepare("INSERT INTO term_df(stream, term, df) VALUES(?1, ?2, ?3) "
                                "ON CONFLICT DO UPDATE SET df = df + ?3"));
  for (const std::string& word : LexicalWords(text)) {
    RETURN_IF_ERROR(add.Bind(1, stream_).BindText(2, word).Bind(3, n).Run());
  }
  return {};
}

Result<void> UnitStore::Load(
    int32_t width, int64_t at_server,
    const std::function<void(const UnitRow&, std::span<const std::byte>)>& visit) const {
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare(fmt::format("SELECT key, data, {} FROM unit LEFT JOIN code "
                                            "ON code.unit = unit.key WHERE stream = ?1 "
                                            "ORDER BY text_begin",
                                            kUnitColumns)));
  select.Bind(1, stream_);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return {};
    ASSIGN_OR_RETURN(UnitRow unit, UnitAt(select, 2, *db_));
    unit.key = select.Int(0);
    const std::span<const std::byte> code = select.Blob(1);
    const bool elsewhere = code.empty() && unit.key <= at_server;
    if (!elsewhere && !IsCode(code, width)) return DamagedVector(unit);
    visit(unit, code);
  }
}

Failure UnitStore::DamagedVector(const UnitRow& unit) const {
  return Fail(ErrorKind::kCorrupt, db_->name(),
              fmt::format("the vector of the unit at text {} is damaged", unit.text_begin),
              kReindex);
}

Result<void> UnitStore::ReadVector(const UnitRow& unit, std::span<float> vector) const {
  ASSIGN_OR_RETURN(Statement select, db_->Prepare("SELECT data FROM vector WHERE unit = ?1"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, unit.key).Step());
  if (!row || select.Blob(0).size() != vector.size_bytes()) return DamagedVector(unit);
  std::memcpy(vector.data(), select.Blob(0).data(), vector.size_bytes());
  return AreCosines(vector) ? Result<void>() : DamagedVector(unit);
}

Result<std::vector<UnitRow>> UnitStore::Rows() const {
  ASSIGN_OR_RETURN(
      Statement select,
      db_->Prepare(fmt::format("SELECT key, {} FROM unit WHERE stream = ?1 ORDER BY text_begin",
                               kUnitColumns)));
  select.Bind(1, stream_);
  std::vector<UnitRow> rows;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return rows;
    ASSIGN_OR_RETURN(UnitRow unit, UnitAt(select, 1, *db_));
    unit.key = select.Int(0);
    rows.push_back(unit);
  }
}

Result<std::vector<int64_t>> UnitStore::Holding(std::string_view word) const {
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare("SELECT rowid FROM unit_words WHERE unit_words MATCH ?1"));
  select.BindText(1, fmt::format("\"{}\"", IndexedWord(stream_, word)));
  std::vector<int64_t> keys;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return keys;
    keys.push_back(select.Int(0));
  }
}

Result<void> UnitStore::Erase(const UnitRow& unit, std::string_view text) {
  RETURN_IF_ERROR(Count(unit, text, -1));
  ASSIGN_OR_RETURN(Statement erase_words,
                   db_->Prepare("INSERT INTO unit_words(unit_words, rowid, words) "
                                "VALUES('delete', ?1, ?2)"));
  RETURN_IF_ERROR(erase_words.Bind(1, unit.key).BindText(2, IndexedWords(stream_, text)).Run());
  // A server that refused the unit may have said it again.
  for (const char* sql :
       {"DELETE FROM vector WHERE unit = ?1", "DELETE FROM code WHERE unit = ?1",
        "DELETE FROM quarantine WHERE unit = ?1", "DELETE FROM unit WHERE key = ?1"}) {
    ASSIGN_OR_RETURN(Statement erase, db_->Prepare(sql));
    RETURN_IF_ERROR(erase.Bind(1, unit.key).Run());
  }
  return {};
}

Result<void> UnitStore::PurgeWords() {
  ASSIGN_OR_RETURN(Statement gone,
                   db_->Prepare("DELETE FROM term_df WHERE stream = ?1 AND df <= 0"));
  RETURN_IF_ERROR(gone.Bind(1, stream_).Run());
  return db_->Exec("INSERT INTO unit_words(unit_words) VALUES('optimize')");
}

Result<int64_t> UnitStore::IndexedText() const {
  ASSIGN_OR_RETURN(Statement select, db_->Prepare("SELECT indexed_text FROM stream WHERE id = ?1"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Step());
  return row ? select.Int(0) : 0;
}

Result<void> UnitStore::SetIndexed(int64_t text, std::span<const float> null_scores) {
  ASSIGN_OR_RETURN(
      Statement update,
      db_->Prepare("UPDATE stream SET indexed_text = ?2, null_scores = ?3 WHERE id = ?1"));
  return update.Bind(1, stream_).Bind(2, text).BindBlob(3, AsBlob(null_scores)).Run();
}

Result<std::vector<float>> UnitStore::NullScores() const {
  ASSIGN_OR_RETURN(Statement select, db_->Prepare("SELECT null_scores FROM stream WHERE id = ?1"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Step());
  std::vector<float> scores = row ? Floats(select.Blob(0)) : std::vector<float>();
  if (!AreCosines(scores)) scores.clear();
  return scores;
}

}  // namespace anabranch
