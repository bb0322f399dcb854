#include "memory/schema.h"

#include <gtest/gtest.h>

#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

// What the first version of the format was made with, and a stream that was written with it.
constexpr const char* kVersion1File = R"(
PRAGMA journal_mode = WAL;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stream (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tokenizer TEXT NOT NULL,
  indexed_text INTEGER NOT NULL DEFAULT 0, null_scores BLOB
);
CREATE TABLE record (
  stream INTEGER NOT NULL REFERENCES stream(id), "begin" INTEGER NOT NULL, "end" INTEGER NOT NULL,
  turn INTEGER NOT NULL, role INTEGER NOT NULL, kind INTEGER NOT NULL,
  text_begin INTEGER NOT NULL, text_end INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  ids BLOB NOT NULL, token_ends BLOB NOT NULL, bytes BLOB NOT NULL, source_cursor TEXT NOT NULL
);
CREATE UNIQUE INDEX record_begin ON record(stream, "begin");
CREATE INDEX record_text ON record(stream, text_end) WHERE kind = 0;
CREATE TABLE unit (
  key INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE,
  stream INTEGER NOT NULL REFERENCES stream(id),
  text_begin INTEGER NOT NULL, text_end INTEGER NOT NULL, "begin" INTEGER NOT NULL,
  "end" INTEGER NOT NULL, turn INTEGER NOT NULL, role INTEGER NOT NULL,
  question INTEGER NOT NULL, time_ms INTEGER NOT NULL
);
CREATE INDEX unit_text_begin ON unit(stream, text_begin);
CREATE TABLE vector (unit INTEGER PRIMARY KEY REFERENCES unit(key), data BLOB NOT NULL);
CREATE VIRTUAL TABLE unit_words USING fts5(
  words, content='', columnsize=0, detail=none, tokenize="ascii"
);
PRAGMA application_id = 0x414e4252;
PRAGMA user_version = 1;
)";

TEST(Schema, AnOldFileIsBroughtForwardAndANewerOneIsRefused) {
  TempDir dir;
  const std::string path = dir.File("m");
  ASSERT_TRUE(Database::Open(path, path).value()->Exec(kVersion1File));
  {
    const auto db = OpenStore(path, path).value();
    EXPECT_EQ(db->QueryInt("PRAGMA user_version").value(), kSchemaVersion);
    ASSERT_TRUE(db->Exec(("PRAGMA user_version = " + std::to_string(kSchemaVersion + 1)).c_str()));
  }
  EXPECT_EQ(OpenStore(path, path).error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace anabranch
