#include "memory/journal_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

// SQL on a file of which SQLite guards nothing.
void RunRaw(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(JournalStore, AnIndexThatDisagreesWithItsTableIsDamage) {
  TempDir dir;
  const std::string path = dir.File("m");
  {
    const auto memory = OpenMemory(path, FakeEmbedder()).value();
    const auto stream = memory->OpenStream("s", "t").value();
    Writer writer(stream.get());
    writer.Say(Role::kUser, "The old stone bridge was built by two brothers.");
    writer.Say(Role::kAssistant, "Nobody knows their names now.");
  }
  // The last text moves to the front, and its index does not learn of it.
  RunRaw(path,
         "CREATE TABLE hidden AS SELECT * FROM sqlite_master WHERE name = 'record_text';"
         "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'record_text';");
  RunRaw(path,
         "UPDATE record SET text_end = text_end - text_begin, text_begin = 0 "
         "WHERE kind = 0 AND text_begin > 0;"
         "PRAGMA writable_schema = ON; INSERT INTO sqlite_master SELECT * FROM hidden;");
  const auto db = Database::Open(path, "the file").value();
  const JournalStore journal(db.get(), 1);
  const auto run = journal.NextRun(60, 100);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(run.error().what, "stream 's' of the file");
}

}  // namespace
}  // namespace anabranch
