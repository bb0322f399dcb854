#include "memory/schema.h"

#include <gtest/gtest.h>

#include "memory/journal_checksum.h"
#include "memory/journal_store.h"
#include "memory/memory_test_support.h"
#include "memory/unit.h"
#include "memory/vector_code.h"

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

// The same of version 2.
constexpr const char* kVersion2File = R"(
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stream (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tokenizer TEXT NOT NULL,
  indexed_text INTEGER NOT NULL DEFAULT 0, null_scores BLOB,
  counted_text INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE record (
  stream INTEGER NOT NULL REFERENCES stream(id), "begin" INTEGER NOT NULL, "end" INTEGER NOT NULL,
  turn INTEGER NOT NULL, role INTEGER NOT NULL, kind INTEGER NOT NULL,
  text_begin INTEGER NOT NULL, text_end INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  ids BLOB NOT NULL, token_ends BLOB NOT NULL, bytes BLOB NOT NULL, source_cursor TEXT NOT NULL,
  checksum INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX record_begin ON record(stream, "begin");
CREATE INDEX record_text ON record(stream, text_end) WHERE kind = 0;
CREATE TABLE "unit" (
  key INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL UNIQUE,
  stream INTEGER NOT NULL REFERENCES stream(id),
  text_begin INTEGER NOT NULL, text_end INTEGER NOT NULL, "begin" INTEGER NOT NULL,
  "end" INTEGER NOT NULL, turn INTEGER NOT NULL, role INTEGER NOT NULL,
  question INTEGER NOT NULL, time_ms INTEGER NOT NULL
);
CREATE INDEX unit_text_begin ON unit(stream, text_begin);
CREATE TABLE vector (unit INTEGER PRIMARY KEY REFERENCES unit(key), data BLOB NOT NULL);
CREATE TABLE code (unit INTEGER PRIMARY KEY REFERENCES unit(key), data BLOB NOT NULL);
CREATE VIRTUAL TABLE unit_words USING fts5(
  words, content='', columnsize=0, detail=none, tokenize="ascii"
);
CREATE TABLE term_df (
  stream INTEGER NOT NULL REFERENCES stream(id), term TEXT NOT NULL, df INTEGER NOT NULL,
  PRIMARY KEY (stream, term)
) WITHOUT ROWID;
CREATE TABLE remote (
  stream INTEGER PRIMARY KEY REFERENCES stream(id), drained_unit INTEGER NOT NULL,
  drained_pos INTEGER NOT NULL
);
CREATE TABLE remote_erase (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL REFERENCES stream(id),
  "begin" INTEGER NOT NULL, "end" INTEGER NOT NULL, ids BLOB NOT NULL
);
CREATE TABLE quarantine (unit INTEGER PRIMARY KEY REFERENCES unit(key), fault TEXT NOT NULL);
PRAGMA application_id = 0x414e4252;
PRAGMA user_version = 2;
)";

// One unit of a stream, as version 1 stored it, and version 2.
void AddUnit(Database* db, const EmbedderHandle& embedder, std::string_view text) {
  const auto bytes = static_cast<uint32_t>(text.size());
  const uint32_t id = 7;
  std::vector<float> vector(static_cast<size_t>(embedder.width));
  ASSERT_TRUE(embedder.embed({&text, 1}, vector));
  ASSERT_TRUE(db->Exec("INSERT INTO stream(id, name, tokenizer) VALUES(4, 's', 't')"));
  auto record =
      db->Prepare(
            "INSERT INTO record(stream, \"begin\", \"end\", turn, role, kind, text_begin, "
            "text_end, time_ms, ids, token_ends, bytes, source_cursor) "
            "VALUES(4, 0, 1, 0, 1, 0, 0, ?1, 1000, ?2, ?3, ?4, '')")
          .value();
  ASSERT_TRUE(record.Bind(1, bytes)
                  .BindBlob(2, AsBlob(std::span(&id, 1)))
                  .BindBlob(3, AsBlob(std::span(&bytes, 1)))
                  .BindBlob(4, std::as_bytes(std::span(text)))
                  .Run());
  // The run is closed, so that its text is settled.
  auto gap = db->Prepare(
                   "INSERT INTO record(stream, \"begin\", \"end\", turn, role, kind, text_begin, "
                   "text_end, time_ms, ids, token_ends, bytes, source_cursor) "
                   "VALUES(4, 1, 2, 0, 1, 2, ?1, ?1, 1000, x'', x'', x'', '')")
                 .value();
  ASSERT_TRUE(gap.Bind(1, bytes).Run());
  auto unit = db->Prepare("INSERT INTO unit VALUES(9, ?1, 4, 0, ?2, 0, 1, 0, 1, 0, 1000)").value();
  const auto unit_id = MakeUnitId("s", 0, bytes).value();
  ASSERT_TRUE(unit.Bind(1, static_cast<int64_t>(unit_id)).Bind(2, bytes).Run());
  auto of_unit = db->Prepare("INSERT INTO vector VALUES(9, ?1)").value();
  ASSERT_TRUE(of_unit.BindBlob(1, AsBlob(std::span<const float>(vector))).Run());
  ASSERT_TRUE(db->Exec("INSERT INTO unit_words(rowid, words) VALUES(9, 'bridge fell old')"));
  auto indexed = db->Prepare("UPDATE stream SET indexed_text = ?1").value();
  ASSERT_TRUE(indexed.Bind(1, bytes).Run());
}

constexpr std::string_view kText = "The old bridge of the village fell last winter.";

// The file is whole, and the unit that it had is recalled; returns the stream.
std::unique_ptr<StreamMemory> ExpectWhole(Memory* memory) {
  const VerifyReport report = memory->Verify().value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
  auto stream = memory->OpenStream("s", "t").value();
  RecallQuery query;
  query.mode = RecallMode::kAlways;
  query.turn_text = "When did the bridge fall? It fell when?";
  query.threshold = 0;
  const RecallResult result = stream->Recall(query).value();
  EXPECT_EQ(result.passages.size(), 1u);
  for (const Passage& passage : result.passages) {
    EXPECT_EQ(passage.text, kText);
    EXPECT_GT(passage.lexical, 0);
  }
  return stream;
}

TEST(Schema, AFileOfVersion1IsBroughtForwardAndANewerOneIsRefused) {
  TempDir dir;
  const std::string path = dir.File("m");
  {
    const auto db = Database::Open(path, path).value();
    ASSERT_TRUE(db->Exec(kVersion1File));
    AddUnit(db.get(), FakeEmbedder(), kText);
  }
  ExpectWhole(OpenMemory(path, FakeEmbedder()).value().get());
  {
    const auto db = OpenStore(path, path).value();
    EXPECT_EQ(db->QueryInt("PRAGMA user_version").value(), kSchemaVersion);
    EXPECT_EQ(db->QueryInt("SELECT df FROM term_df WHERE stream = 4 AND term = 'bridge'").value(),
              1);
    ASSERT_TRUE(db->Exec(("PRAGMA user_version = " + std::to_string(kSchemaVersion + 1)).c_str()));
  }
  EXPECT_EQ(OpenStore(path, path).error().kind, ErrorKind::kUnsupported);
}

TEST(Schema, UnitsOfVersion2KeepTheirKeysAndNewOnesGetOthers) {
  TempDir dir;
  const std::string path = dir.File("m");
  {
    const auto db = Database::Open(path, path).value();
    ASSERT_TRUE(db->Exec(kVersion2File));
    AddUnit(db.get(), FakeEmbedder(), kText);
    ASSERT_TRUE(FillChecksums(db.get()));
    auto code = db->Prepare("INSERT INTO code SELECT unit, ?1 FROM vector").value();
    std::vector<float> vector(64);
    ASSERT_TRUE(FakeEmbedder().embed({&kText, 1}, vector));
    ASSERT_TRUE(code.BindBlob(1, EncodeVector(vector)).Run());
    // Words are indexed with their stream. Units with keys up to 20 were there, and are forgotten.
    ASSERT_TRUE(
        db->Exec("INSERT INTO unit_words(unit_words) VALUES('delete-all');"
                 "UPDATE sqlite_sequence SET seq = 20 WHERE name = 'unit'"));
    auto words = db->Prepare("INSERT INTO unit_words(rowid, words) VALUES(9, ?1)").value();
    ASSERT_TRUE(words.BindText(1, IndexedWords(4, kText)).Run());
  }
  {
    const auto memory = OpenMemory(path, FakeEmbedder()).value();
    const auto stream = ExpectWhole(memory.get());
    Writer writer(stream.get());
    writer.Say(Role::kUser, "The new bridge of the village was built by the miller in spring.");
    writer.Say(Role::kAssistant, "Well noted, my friend.");
    EXPECT_TRUE(memory->Verify().value().ok);
  }
  const auto db = OpenStore(path, path).value();
  EXPECT_EQ(db->QueryInt("PRAGMA user_version").value(), kSchemaVersion);
  EXPECT_EQ(db->QueryInt("SELECT min(key) FROM unit").value(), 9);
  EXPECT_EQ(db->QueryInt("SELECT max(key) FROM unit").value(), 21);
}

TEST(Schema, RecordsOfVersion1GetTheirChecksums) {
  TempDir dir;
  const std::string path = dir.File("m");
  const auto old = Database::Open(path, path).value();
  ASSERT_TRUE(old->Exec(kVersion1File));
  ASSERT_TRUE(old->Exec(
      "INSERT INTO stream(id, name, tokenizer) VALUES(3, 's', 't');"
      "INSERT INTO record VALUES(3, 0, 2, 0, 1, 1, 0, 0, 77, x'0100000002000000', x'', x'', '');"
      "INSERT INTO record VALUES(3, 2, 3, 0, 1, 0, 0, 2, 77, x'05000000', x'02000000', 'Hi', '');"
      "INSERT INTO record VALUES(3, 3, 9, 0, 1, 2, 2, 2, 77, x'', x'', x'', '');"));
  const auto db = OpenStore(path, path).value();
  const JournalStore journal(db.get(), 3);
  EXPECT_EQ(journal.Text(0, 2).value(), "Hi");
  int records = 0;
  EXPECT_TRUE(journal.ForEach({StreamPos(0), StreamPos(9)}, [&](const StoredRecord&) {
    ++records;
    return Result<void>();
  }));
  EXPECT_EQ(records, 3);
  EXPECT_EQ(journal.End().value().end, StreamPos(9));
}

}  // namespace
}  // namespace anabranch
