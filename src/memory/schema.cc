#include "memory/schema.h"

namespace anabranch {
namespace {

// Vectors have a table of their own, so that a walk over the units reads none of them. The text
// index has no content of its own (text is stored once, in the journal) and is given words that are
// already folded (memory/lexical.h).
constexpr const char* kCreate = R"(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  tokenizer TEXT NOT NULL,
  indexed_text INTEGER NOT NULL DEFAULT 0,
  null_scores BLOB
);

CREATE TABLE record (
  stream INTEGER NOT NULL REFERENCES stream(id),
  "begin" INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  role INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  text_begin INTEGER NOT NULL,
  text_end INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  ids BLOB NOT NULL,
  token_ends BLOB NOT NULL,
  bytes BLOB NOT NULL,
  source_cursor TEXT NOT NULL
);
CREATE UNIQUE INDEX record_begin ON record(stream, "begin");
CREATE INDEX record_text ON record(stream, text_end) WHERE kind = 0;

CREATE TABLE unit (
  key INTEGER PRIMARY KEY,
  id INTEGER NOT NULL UNIQUE,
  stream INTEGER NOT NULL REFERENCES stream(id),
  text_begin INTEGER NOT NULL,
  text_end INTEGER NOT NULL,
  "begin" INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  role INTEGER NOT NULL,
  question INTEGER NOT NULL,
  time_ms INTEGER NOT NULL
);
CREATE INDEX unit_text_begin ON unit(stream, text_begin);

CREATE TABLE vector (unit INTEGER PRIMARY KEY REFERENCES unit(key), data BLOB NOT NULL);

CREATE VIRTUAL TABLE unit_words USING fts5(
  words, content='', columnsize=0, detail=none, tokenize="ascii"
);
)";

Result<void> Create(Database* db) {
  // Another process may have created it in the meantime: looked at again inside the transaction.
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db));
  ASSIGN_OR_RETURN(const int64_t tables, db->QueryInt("SELECT count(*) FROM sqlite_master"));
  if (tables > 0) return {};
  RETURN_IF_ERROR(db->Exec(kCreate));
  RETURN_IF_ERROR(db->Exec(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str()));
  RETURN_IF_ERROR(db->Exec(("PRAGMA user_version = " + std::to_string(kSchemaVersion)).c_str()));
  return transaction.Commit();
}

}  // namespace

Result<std::unique_ptr<Database>> OpenStore(const std::string& path, const std::string& name) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path, name));
  ASSIGN_OR_RETURN(const int64_t application, db->QueryInt("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t tables, db->QueryInt("SELECT count(*) FROM sqlite_master"));
  if (application != kApplicationId && (application != 0 || tables != 0)) {
    return Fail(ErrorKind::kInvalid, name, "is a database of another program",
                "name another file for the memory");
  }
  ASSIGN_OR_RETURN(const int64_t version, db->QueryInt("PRAGMA user_version"));
  if (application == kApplicationId && version != kSchemaVersion) {
    return Fail(ErrorKind::kUnsupported, name,
                "has memory format " + std::to_string(version) + ", this program reads format " +
                    std::to_string(kSchemaVersion),
                "use a program of the version that made it");
  }
  // secure_delete: what is forgotten leaves no trace in free pages. 8 MB of page cache.
  RETURN_IF_ERROR(db->Exec("PRAGMA secure_delete = ON; PRAGMA cache_size = -8000;"));
  if (application == 0) {
    RETURN_IF_ERROR(db->Exec("PRAGMA journal_mode = WAL"));
    RETURN_IF_ERROR(Create(db.get()));
  }
  RETURN_IF_ERROR(db->Exec("PRAGMA synchronous = FULL"));
  return db;
}

Result<std::string> ReadMeta(Database* db, std::string_view key) {
  ASSIGN_OR_RETURN(Statement select, db->Prepare("SELECT value FROM meta WHERE key = ?1"));
  ASSIGN_OR_RETURN(const bool row, select.BindText(1, key).Step());
  return row ? std::string(select.Text(0)) : std::string();
}

Result<void> WriteMeta(Database* db, std::string_view key, std::string_view value) {
  ASSIGN_OR_RETURN(Statement insert,
                   db->Prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)"));
  return insert.BindText(1, key).BindText(2, value).Run();
}

}  // namespace anabranch
