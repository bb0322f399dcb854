#include "memory/schema.h"

#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>

#include "memory/journal_checksum.h"
#include "memory/term_counts.h"
#include "memory/unit_store.h"
#include "memory/vector_code.h"

namespace anabranch {
namespace {

// Vectors have a table of their own, so that a walk over the units reads none of them. The text
// index has no content of its own (text is stored once, in the journal) and is given words that are
// already folded (memory/lexical.h).
constexpr const char* kVersion1 = R"(
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

// code: vectors in 8 bits, all that is read of them when a stream is opened. term_df: of the units
// whose text begins before counted_text, how many hold a word. Words are indexed with their stream.
// The last three: what the file knows of its server (memory/drain_store.h).
constexpr const char* kVersion2 = R"(
ALTER TABLE record ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
CREATE TABLE code (unit INTEGER PRIMARY KEY REFERENCES unit(key), data BLOB NOT NULL);
CREATE TABLE term_df (
  stream INTEGER NOT NULL REFERENCES stream(id),
  term TEXT NOT NULL,
  df INTEGER NOT NULL,
  PRIMARY KEY (stream, term)
) WITHOUT ROWID;
ALTER TABLE stream ADD COLUMN counted_text INTEGER NOT NULL DEFAULT 0;
DROP TABLE unit_words;
CREATE VIRTUAL TABLE unit_words USING fts5(
  words, content='', columnsize=0, detail=none, tokenize="ascii"
);
-- Keys of units are never given twice: what a server was sent goes by them.
CREATE TABLE unit_of_2 (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
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
INSERT INTO unit_of_2 SELECT key, id, stream, text_begin, text_end, "begin", "end", turn, role,
  question, time_ms FROM unit;
DROP TABLE unit;
ALTER TABLE unit_of_2 RENAME TO unit;
CREATE INDEX unit_text_begin ON unit(stream, text_begin);
CREATE TABLE remote (
  stream INTEGER PRIMARY KEY REFERENCES stream(id),
  drained_unit INTEGER NOT NULL,
  drained_pos INTEGER NOT NULL
);
CREATE TABLE remote_erase (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  stream INTEGER NOT NULL REFERENCES stream(id),
  "begin" INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  ids BLOB NOT NULL
);
CREATE TABLE quarantine (unit INTEGER PRIMARY KEY REFERENCES unit(key), fault TEXT NOT NULL);
)";

// A unit's id follows from its stream and text (memory/unit.h) and is not stored: an index over
// hashes scattered its writes over the file. Two units at one place are damage: of the second its
// vector stays behind, which verify reports.
constexpr const char* kVersion3 = R"(
CREATE TABLE unit_of_3 (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
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
DROP INDEX unit_text_begin;
CREATE UNIQUE INDEX unit_text_begin ON unit_of_3(stream, text_begin);
INSERT OR IGNORE INTO unit_of_3 SELECT key, stream, text_begin, text_end, "begin", "end", turn,
  role, question, time_ms FROM unit ORDER BY key;
DELETE FROM sqlite_sequence WHERE name = 'unit_of_3';
UPDATE sqlite_sequence SET name = 'unit_of_3' WHERE name = 'unit';
DROP TABLE unit;
ALTER TABLE unit_of_3 RENAME TO unit;
)";

Result<void> ToVersion1(Database* db) {
  RETURN_IF_ERROR(db->Exec(kVersion1));
  return db->Exec(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
}

// Indexes the units of a version 1 file as version 2 does.
Result<void> IndexAnew(Database* db) {
  ASSIGN_OR_RETURN(Statement vectors, db->Prepare("SELECT unit, data FROM vector ORDER BY unit"));
  ASSIGN_OR_RETURN(Statement code, db->Prepare("INSERT INTO code(unit, data) VALUES(?1, ?2)"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, vectors.Step());
    if (!row) break;
    code.Bind(1, vectors.Int(0)).BindBlob(2, EncodeVector(Floats(vectors.Blob(1))));
    RETURN_IF_ERROR(code.Run());
  }
  RETURN_IF_ERROR(IndexWordsOfAll(db));
  ASSIGN_OR_RETURN(Statement streams, db->Prepare("SELECT id FROM stream"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, streams.Step());
    if (!row) return {};
    TermCounts counts(db, streams.Int(0));
    RETURN_IF_ERROR(counts.Load());
    RETURN_IF_ERROR(counts.Write());
  }
}

Result<void> ToVersion2(Database* db) {
  RETURN_IF_ERROR(db->Exec(kVersion2));
  RETURN_IF_ERROR(FillChecksums(db));
  return IndexAnew(db);
}

Result<void> ToVersion3(Database* db) { return db->Exec(kVersion3); }

// Step i makes version i + 1 of version i; version 0 is an empty file.
constexpr Result<void> (*kSteps[])(Database*) = {ToVersion1, ToVersion2, ToVersion3};
static_assert(std::size(kSteps) == kSchemaVersion);

// Brings the file forward, each step whole or not at all.
Result<void> Migrate(Database* db) {
  while (true) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db));
    // Another process may have done it in the meantime: looked at inside the transaction.
    ASSIGN_OR_RETURN(const int64_t version, db->QueryInt("PRAGMA user_version"));
    if (version < 0 || version >= kSchemaVersion) return {};
    RETURN_IF_ERROR(kSteps[version](db));
    RETURN_IF_ERROR(db->Exec(("PRAGMA user_version = " + std::to_string(version + 1)).c_str()));
    RETURN_IF_ERROR(transaction.Commit());
  }
}

// Makes an empty file one with a write-ahead log. SQLite does not wait for others who are just
// doing that, nor for those who have done it and are making the first version.
Result<void> MakeFile(Database* db) {
  const auto end = std::chrono::steady_clock::now() + db->patience();
  while (true) {
    // Five vectors of MiniLM fill a page of 8 KiB; one of 4 KiB holds two and is a quarter empty.
    const Result<void> made = db->Exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;");
    const bool busy = !made && made.error().kind == ErrorKind::kBusy;
    if (!busy || std::chrono::steady_clock::now() >= end) return made;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// The version of a file's format; 0: it is empty.
Result<int64_t> FormatOf(Database* db) {
  // Of one state: another process may just be making it.
  ASSIGN_OR_RETURN(const Snapshot snapshot, Snapshot::Begin(db));
  ASSIGN_OR_RETURN(const int64_t application, db->QueryInt("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t tables, db->QueryInt("SELECT count(*) FROM sqlite_master"));
  if (application == 0 && tables == 0) return 0;
  if (application != kApplicationId) {
    return Fail(ErrorKind::kInvalid, db->name(), "is a database of another program",
                "name another file for the memory");
  }
  ASSIGN_OR_RETURN(const int64_t version, db->QueryInt("PRAGMA user_version"));
  if (version >= 1 && version <= kSchemaVersion) return version;
  return Fail(ErrorKind::kUnsupported, db->name(),
              "has memory format " + std::to_string(version) +
                  ", this program reads formats 1 to " + std::to_string(kSchemaVersion),
              "use a program of the version that made it");
}

}  // namespace

Result<std::unique_ptr<Database>> OpenStore(const std::string& path, const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::file_size(path, error) > 0 && !error && !fs::exists(path + "-journal", error)) {
    // Looked at without writing: what is not ours stays as it is, with its log. (A rollback journal
    // is there only when making the file was cut off; it is opened by rolling back.)
    ASSIGN_OR_RETURN(const auto reader, Database::OpenToRead(path, name));
    RETURN_IF_ERROR(FormatOf(reader.get()));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path, name));
  ASSIGN_OR_RETURN(const int64_t version, FormatOf(db.get()));
  if (version == 0) RETURN_IF_ERROR(MakeFile(db.get()));
  if (version < kSchemaVersion) RETURN_IF_ERROR(Migrate(db.get()));
  return db;
}

Result<std::unique_ptr<Database>> OpenStoreToRead(const std::string& path,
                                                  const std::string& name) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::OpenToRead(path, name));
  ASSIGN_OR_RETURN(const int64_t version, FormatOf(db.get()));
  if (version == kSchemaVersion) return db;
  return Fail(
      ErrorKind::kUnsupported, name,
      version == 0 ? "is empty" : "has memory format " + std::to_string(version),
      "open it with run or chat, which bring it to format " + std::to_string(kSchemaVersion));
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
