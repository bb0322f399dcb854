#include "memory/journal_checksum.h"

#include <gtest/gtest.h>

#include "memory/journal_store.h"
#include "memory/memory_test_support.h"
#include "memory/schema.h"

namespace anabranch {
namespace {

constexpr StreamSpan kAll = {StreamPos(0), StreamPos(int64_t{1} << 40)};

// A stream of three turns, written and closed.
void MakeStore(const std::string& path) {
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  const auto stream = memory->OpenStream("notes", "t").value();
  Writer writer(stream.get());
  for (int i = 0; i < 3; ++i) writer.Say(Role::kUser, "The bridge was built by two brothers.");
}

void Damage(const std::string& path, const std::string& sql) {
  const auto db = Database::Open(path, path).value();
  ASSERT_TRUE(db->Exec(sql.c_str()));
  ASSERT_EQ(db->changes(), 1) << sql;
}

constexpr const char* kLast = " WHERE rowid = (SELECT max(rowid) FROM record)";

TEST(JournalChecksum, EveryColumnCounts) {
  const char* changes[] = {"time_ms = time_ms + 1",
                           "turn = turn + 1",
                           "role = 2",
                           "kind = 1",
                           "source_cursor = 'x'",
                           "bytes = replace(bytes, 'b', 'd')",
                           "ids = zeroblob(length(ids))",
                           "text_begin = text_begin + 1",
                           "\"end\" = \"end\" + 1",
                           "checksum = checksum + 1",
                           "token_ends = substr(token_ends, 1, 4) || token_ends"};
  for (const char* change : changes) {
    TempDir dir;
    const std::string path = dir.File("m");
    MakeStore(path);
    // Record 2 is the first turn's text.
    Damage(path, std::string("UPDATE record SET ") + change + " WHERE rowid = 2");
    const auto db = OpenStore(path, path).value();
    const auto read =
        JournalStore(db.get(), 1).ForEach(kAll, [](const auto&) { return Result<void>(); });
    ASSERT_FALSE(read) << change;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
    EXPECT_NE(read.error().what.find("'notes'"), std::string::npos);
    EXPECT_NE(read.error().fault.find("record at 3"), std::string::npos) << read.error().fault;
    EXPECT_FALSE(OpenMemory(path, FakeEmbedder()).value()->Verify().value().ok);
  }
}

TEST(JournalChecksum, ARecordThatMovedToAnotherStreamIsDamaged) {
  TempDir dir;
  const std::string path = dir.File("m");
  MakeStore(path);
  Damage(path, "INSERT INTO stream(id, name, tokenizer) VALUES(2, 'other', 't')");
  Damage(path, std::string("UPDATE record SET stream = 2") + kLast);
  const auto db = OpenStore(path, path).value();
  EXPECT_EQ(JournalStore(db.get(), 2).End().error().kind, ErrorKind::kCorrupt);
}

TEST(JournalChecksum, ATornLastRecordIsDroppedAndTheStreamGoesOn) {
  for (const char* change : {"checksum = 1", "bytes = x'aa'", "ids = x''", "\"end\" = 99999"}) {
    TempDir dir;
    const std::string path = dir.File("m");
    MakeStore(path);
    StreamPos begin;
    {
      const auto db = OpenStore(path, path).value();
      begin = StreamPos(db->QueryInt(std::string("SELECT \"begin\" FROM record") + kLast).value());
    }
    Damage(path, std::string("UPDATE record SET ") + change + kLast);
    const auto memory = OpenMemory(path, FakeEmbedder()).value();
    const auto stream = memory->OpenStream("notes", "t").value();
    EXPECT_EQ(stream->journal_end(), begin) << change;
    EXPECT_NE(stream->notice().find("cut off"), std::string::npos);
    Writer(stream.get()).Say(Role::kUser, "The miller rebuilt it.");
    EXPECT_TRUE(memory->Verify().value().ok) << change;
  }
}

TEST(JournalChecksum, ADamagedRecordThatIsNotTheLastWriteIsAnErrorAndStays) {
  const std::string damaged_end = std::string("UPDATE record SET checksum = 1") + kLast;
  const std::vector<std::string> damages[] = {
      {"UPDATE record SET time_ms = 1 WHERE rowid = 2"},                 // in the middle
      {"UPDATE record SET \"begin\" = 99999 WHERE rowid = 2"},           // moved to the end
      {"UPDATE stream SET indexed_text = 1000", damaged_end},            // it is in the index
      {"UPDATE record SET rowid = 9999 WHERE rowid = 2", damaged_end}};  // another one is newer
  for (const std::vector<std::string>& damage : damages) {
    TempDir dir;
    const std::string path = dir.File("m");
    MakeStore(path);
    for (const std::string& sql : damage) Damage(path, sql);
    const auto count = [&] {
      return OpenStore(path, path).value()->QueryInt("SELECT count(*) FROM record").value();
    };
    const int64_t before = count();
    {
      const auto memory = OpenMemory(path, FakeEmbedder()).value();
      EXPECT_FALSE(memory->Verify().value().ok) << damage[0];
      const auto stream = memory->OpenStream("notes", "t");
      ASSERT_FALSE(stream) << damage[0];
      EXPECT_EQ(stream.error().kind, ErrorKind::kCorrupt) << damage[0];
    }
    EXPECT_EQ(count(), before) << damage[0];
  }
}

}  // namespace
}  // namespace anabranch
