// What is damaged, foreign or full gets a clear error, and what was acknowledged is never lost.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "memory/journal_checksum.h"
#include "memory/memory_test_support.h"
#include "memory/sqlite_db.h"
#include "memory/verify.h"

namespace anabranch {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kText =
    "The old stone bridge in the village was built by two brothers. Nobody knows their names now. "
    "One winter the river took half of it away, and the miller rebuilt it. ";
constexpr StreamSpan kAll = {StreamPos(0), StreamPos(int64_t{1} << 40)};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void MakeStore(const std::string& path) {
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  const auto stream = memory->OpenStream("s", "t").value();
  Writer writer(stream.get());
  for (int i = 0; i < 10; ++i) {
    writer.Say(Role::kUser, kText);
    writer.Say(Role::kAssistant, "Well noted, my friend.");
  }
}

// Damage that checksums do not show.
void DamageStore(const std::string& path, const std::string& sql) {
  const auto db = Database::Open(path, path).value();
  ASSERT_TRUE(db->Exec(sql.c_str())) << sql;
  ASSERT_TRUE(FillChecksums(db.get()));
}

// Everything that a memory can be asked to do; only that it comes back counts.
void UseStore(const std::string& path) {
  const auto memory = OpenMemory(path, FakeEmbedder());
  if (!memory) {
    EXPECT_FALSE(memory.error().fault.empty());
    return;
  }
  static_cast<void>((*memory)->List());
  static_cast<void>((*memory)->Show("", kAll));
  static_cast<void>((*memory)->Search("", "Who built the bridge?", 3));
  static_cast<void>((*memory)->Verify());
  auto stream = (*memory)->OpenStream("s", "t");
  if (stream) {
    RecallQuery query;
    query.mode = RecallMode::kAlways;
    query.turn_text = "Who built the old stone bridge in the village?";
    static_cast<void>((*stream)->Recall(query));
    static_cast<void>((*stream)->Index(true));
    static_cast<void>((*stream)->Fork());
  }
  static_cast<void>((*memory)->Forget("", {.matching = "miller"}, false));
}

// Calls a function while no file of this process may grow.
Result<void> OnAFullDisk(const std::function<Result<void>()>& call) {
  struct rlimit old_limit = {};
  EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  const struct rlimit full = {4096, old_limit.rlim_max};
  EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  Result<void> result = call();
  setrlimit(RLIMIT_FSIZE, &old_limit);
  signal(SIGXFSZ, old_handler);
  return result;
}

TEST(MemoryCorruption, AFileThatIsNoMemoryIsRefusedAndNotTouched) {
  TempDir dir;
  const std::string text(5000, 'x');
  WriteFile(dir.File("text"), text);
  const auto of_text = OpenMemory(dir.File("text"), FakeEmbedder());
  ASSERT_FALSE(of_text);
  EXPECT_EQ(of_text.error().kind, ErrorKind::kCorrupt);
  EXPECT_NE(of_text.error().what.find("text"), std::string::npos);
  EXPECT_EQ(ReadFile(dir.File("text")), text);

  {
    const auto db = Database::Open(dir.File("other"), "other").value();
    ASSERT_TRUE(db->Exec("CREATE TABLE mine(x)"));
  }
  const std::string before = ReadFile(dir.File("other"));
  EXPECT_EQ(OpenMemory(dir.File("other"), FakeEmbedder()).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(ReadFile(dir.File("other")), before);
  EXPECT_EQ(OpenMemory(dir.File("no/such/folder"), FakeEmbedder()).error().kind, ErrorKind::kIo);
}

// As another program leaves it that was killed, or that still has it open.
TEST(MemoryCorruption, ALogThatAnotherProgramLeftIsNotTouched) {
  TempDir dir;
  const std::string from = dir.File("other");
  const auto db = Database::Open(from, "other").value();
  ASSERT_TRUE(
      db->Exec("PRAGMA journal_mode = WAL; CREATE TABLE mine(x); INSERT INTO mine VALUES(1); "
               "PRAGMA wal_checkpoint; INSERT INTO mine VALUES(2)"));
  const auto refuse = [](const std::string& path) {
    EXPECT_EQ(OpenMemory(path, FakeEmbedder()).error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(VerifyFile(path, {}).error().kind, ErrorKind::kInvalid);
  };
  const std::string data = ReadFile(from), log = ReadFile(from + "-wal");
  refuse(from);
  EXPECT_EQ(ReadFile(from), data);
  EXPECT_EQ(ReadFile(from + "-wal"), log);
  EXPECT_EQ(db->QueryInt("SELECT sum(x) FROM mine").value(), 3);
  for (const bool index : {false, true}) {
    for (const size_t size : {log.size(), log.size() / 2, size_t{100}, size_t{0}}) {
      const std::string path = dir.File("copy");
      WriteFile(path, data);
      WriteFile(path + "-wal", log.substr(0, size));
      if (index) WriteFile(path + "-shm", ReadFile(from + "-shm"));
      refuse(path);
      EXPECT_EQ(ReadFile(path), data);
      EXPECT_EQ(ReadFile(path + "-wal"), log.substr(0, size));
      EXPECT_EQ(std::filesystem::exists(path + "-shm"), index);
      for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
    }
  }
}

TEST(MemoryCorruption, ANewerFormatIsRefused) {
  TempDir dir;
  MakeStore(dir.File("m"));
  ASSERT_TRUE(Database::Open(dir.File("m"), "m").value()->Exec("PRAGMA user_version = 99"));
  const auto memory = OpenMemory(dir.File("m"), FakeEmbedder());
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(memory.error().fault.find("99"), std::string::npos);
}

TEST(MemoryCorruption, VerifySeesWhatWasChanged) {
  const char* damages[] = {
      "DELETE FROM record WHERE rowid = 5",
      "UPDATE record SET token_ends = x'00' WHERE rowid = 2",
      "UPDATE record SET text_begin = -5 WHERE rowid = 2",
      "UPDATE record SET role = 77 WHERE rowid = 2",
      "UPDATE record SET \"end\" = \"end\" + 1 WHERE rowid = 1",
      "UPDATE record SET \"end\" = -5 WHERE rowid = (SELECT max(rowid) FROM record)",
      "UPDATE record SET turn = 9223372036854775807 WHERE rowid = (SELECT max(rowid) FROM record)",
      "UPDATE record SET \"begin\" = -9 WHERE rowid = (SELECT max(rowid) FROM record)",
      "UPDATE unit SET turn = 9223372036854775807 WHERE key = 3",
      "UPDATE unit SET text_begin = text_begin + 1 WHERE key = 3",
      "UPDATE unit SET \"begin\" = 9999, \"end\" = 10000 WHERE key = 3",
      "DELETE FROM unit WHERE key = 3",
      "DELETE FROM vector WHERE unit = 2",
      "UPDATE vector SET data = x'0011' WHERE unit = 2",
      "UPDATE vector SET data = zeroblob(252) || x'0000c07f' WHERE unit = 2",  // not a number
      "UPDATE stream SET null_scores = x'0000c07f'",
      "INSERT INTO vector VALUES(12345, x'00')",
      "UPDATE code SET data = zeroblob(72) WHERE unit = 2",
      "DELETE FROM code WHERE unit = 2",
      "UPDATE stream SET counted_text = 1000",
      "INSERT INTO term_df VALUES(1, 'bridge', 3)",
  };
  for (const char* damage : damages) {
    TempDir dir;
    MakeStore(dir.File("m"));
    ASSERT_TRUE(OpenMemory(dir.File("m"), FakeEmbedder()).value()->Verify().value().ok);
    DamageStore(dir.File("m"), damage);
    const auto report = OpenMemory(dir.File("m"), FakeEmbedder()).value()->Verify().value();
    EXPECT_FALSE(report.ok) << damage;
    EXPECT_FALSE(report.faults.empty()) << damage;
    UseStore(dir.File("m"));
  }
}

TEST(MemoryCorruption, VerifySeesThatTwoUnitsHaveOneId) {
  TempDir dir;
  MakeStore(dir.File("m"));
  DamageStore(dir.File("m"),
              "DROP INDEX unit_text_begin;"
              "INSERT INTO unit SELECT 1000, stream, text_begin, text_end, \"begin\", \"end\", "
              "turn, role, question, time_ms FROM unit WHERE key = 3");
  const auto report = OpenMemory(dir.File("m"), FakeEmbedder()).value()->Verify().value();
  EXPECT_THAT(report.faults, Contains(HasSubstr("two of its units have the id")));
}

TEST(MemoryCorruption, ADamagedEndOfTheJournalIsAnErrorOfItsStream) {
  for (const char* damage : {"\"end\" = -5", "\"end\" = \"begin\" - 1", "role = 9", "turn = -1",
                             "turn = 9223372036854775807", "kind = 2, \"end\" = 1 << 62",
                             "text_begin = 1 << 62, text_end = 1 << 62"}) {
    TempDir dir;
    MakeStore(dir.File("m"));
    const std::string sql = std::string("UPDATE record SET ") + damage +
                            " WHERE rowid = (SELECT max(rowid) FROM record)";
    DamageStore(dir.File("m"), sql);
    const auto memory = OpenMemory(dir.File("m"), FakeEmbedder()).value();
    const auto stream = memory->OpenStream("s", "t");
    ASSERT_FALSE(stream) << damage;
    EXPECT_EQ(stream.error().kind, ErrorKind::kCorrupt) << damage;
    EXPECT_FALSE(memory->Verify().value().ok) << damage;
  }
}

TEST(MemoryCorruption, MutatedFilesNeverCrash) {
  TempDir dir;
  MakeStore(dir.File("m"));
  const std::string sound = ReadFile(dir.File("m"));
  std::mt19937 random(20240701);
  for (int i = 0; i < 60; ++i) {
    std::string bytes = sound;
    if (i % 10 == 0) bytes.resize(random() % bytes.size());
    for (int n = 0; n < 1 << (i % 8); ++n) {
      if (!bytes.empty()) bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const std::string path = dir.File("mutated" + std::to_string(i));
    WriteFile(path, bytes);
    UseStore(path);
  }
}

TEST(MemoryCorruption, WhatCannotBeWrittenIsKeptAndTriedAgain) {
  TempDir dir;
  const auto memory = OpenMemory(dir.File("m"), FakeEmbedder()).value();
  const auto stream = memory->OpenStream("s", "t").value();
  Writer writer(stream.get());
  writer.Say(Role::kUser, kText);
  const StreamPos durable = stream->journal_end();
  JournalRecord record;
  record.turn = 1;
  record.kind = RecordKind::kTemplate;
  record.begin = durable;
  record.ids.assign(1 << 16, TokenId(7));  // 256 kB
  ASSERT_TRUE(stream->Append(record));

  const auto failed = OnAFullDisk([&] { return stream->Sync(); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kIo);
  EXPECT_EQ(stream->journal_end(), durable);
  EXPECT_TRUE(stream->Sync());
  EXPECT_EQ(stream->journal_end(), durable + (1 << 16));
  EXPECT_TRUE(memory->Verify().value().ok);
}

TEST(MemoryCorruption, AFailingEmbedderLosesNothing) {
  TempDir dir;
  bool fail = false;
  EmbedderHandle embedder = FakeEmbedder();
  embedder.embed = [&fail, sound = embedder.embed](std::span<const std::string_view> texts,
                                                   std::span<float> vectors) -> Result<void> {
    if (fail) return Fail(ErrorKind::kIo, "embedder", "is out of order");
    return sound(texts, vectors);
  };
  const auto memory = OpenMemory(dir.File("m"), embedder).value();
  const auto stream = memory->OpenStream("s", "t").value();
  Writer writer(stream.get());
  writer.Say(Role::kUser, kText);
  fail = true;
  writer.Say(Role::kUser, kText, 1000, false);
  writer.Say(Role::kAssistant, "Well noted, my friend.", 1000, false);
  EXPECT_FALSE(stream->Index(true));
  fail = false;
  ASSERT_TRUE(stream->Index(true));
  EXPECT_TRUE(memory->Verify().value().ok);
  EXPECT_EQ(memory->List().value()[0].units, 6);  // three of each text; the answer is pending
}

TEST(MemoryCorruption, IndexingThatFailedPartWayGoesOnWhenTriedAgain) {
  TempDir dir;
  int calls_left = 0;
  EmbedderHandle embedder = FakeEmbedder();
  embedder.embed = [&calls_left, sound = embedder.embed](std::span<const std::string_view> texts,
                                                         std::span<float> vectors) -> Result<void> {
    if (calls_left-- == 0) return Fail(ErrorKind::kIo, "embedder", "is out of order");
    return sound(texts, vectors);
  };
  const auto memory = OpenMemory(dir.File("m"), embedder).value();
  const auto stream = memory->OpenStream("s", "t").value();
  Writer writer(stream.get());
  for (int i = 0; i < 6; ++i) {
    writer.Say(i % 2 == 0 ? Role::kUser : Role::kAssistant, kText, 1000, false);
  }
  const auto indexed_by = [&](int calls, bool full) {
    calls_left = calls;
    const auto index = [&] { return stream->Index(true); };
    return full ? OnAFullDisk(index).has_value() : index().has_value();
  };
  EXPECT_FALSE(indexed_by(-1, true));
  EXPECT_FALSE(indexed_by(2, false));  // after some of the runs
  const StreamPos part = stream->indexed_end();
  EXPECT_FALSE(indexed_by(-1, true));
  EXPECT_EQ(stream->indexed_end(), part);
  EXPECT_FALSE(indexed_by(1, false));
  EXPECT_TRUE(indexed_by(-1, false));
  EXPECT_TRUE(indexed_by(-1, false));
  EXPECT_GT(stream->indexed_end(), part);
  const VerifyReport report = memory->Verify().value();
  EXPECT_TRUE(report.ok) << report.faults[0];
  EXPECT_EQ(memory->List().value()[0].units, 16);  // three of each text; the last answer is pending
}

TEST(MemoryCorruption, VectorsThatAreNoNumbersAreNotStored) {
  TempDir dir;
  bool broken = false;
  EmbedderHandle embedder = FakeEmbedder();
  embedder.embed = [&broken, sound = embedder.embed](std::span<const std::string_view> texts,
                                                     std::span<float> vectors) -> Result<void> {
    if (!broken) return sound(texts, vectors);
    std::fill(vectors.begin(), vectors.end(), std::nanf(""));
    return {};
  };
  const auto memory = OpenMemory(dir.File("m"), embedder).value();
  const auto stream = memory->OpenStream("s", "t").value();
  Writer writer(stream.get());
  ASSERT_TRUE(stream->Index(true));
  writer.Say(Role::kUser, kText, 1000, false);
  writer.Say(Role::kAssistant, kText, 1000, false);
  broken = true;
  EXPECT_EQ(stream->Index(true).error().kind, ErrorKind::kCorrupt);
  broken = false;
  EXPECT_TRUE(stream->Index(true));
  EXPECT_TRUE(memory->Verify().value().ok);
}

TEST(MemoryCorruption, ALinkToTheFileIsTheSameFile) {
  TempDir dir;
  std::filesystem::create_symlink(dir.File("m"), dir.File("link"));
  const auto linked = OpenMemory(dir.File("link"), FakeEmbedder()).value();  // it dangled
  const auto memory = OpenMemory(dir.File("m"), FakeEmbedder()).value();
  const auto stream = memory->OpenStream("s", "t").value();
  const auto second = linked->OpenStream("s", "t");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
  EXPECT_EQ(linked->DiskBytes().value(), memory->DiskBytes().value());
}

// Appends and syncs for ever, and says how far it got.
[[noreturn]] void WriteForEver(const std::string& path, int pipe) {
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  const auto stream = memory->OpenStream("s", "t").value();
  Writer writer(stream.get());
  for (int64_t turn = stream->next_turn();; ++turn) {
    writer.Say(turn % 2 == 0 ? Role::kUser : Role::kAssistant, kText);
    const int64_t end = stream->journal_end().value();
    if (write(pipe, &end, sizeof(end)) != sizeof(end)) _exit(1);
  }
}

TEST(MemoryCorruption, WhatWasAcknowledgedSurvivesAKill) {
  TempDir dir;
  std::mt19937 random(7);
  int64_t acknowledged = 0;
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      WriteForEver(dir.File("m"), ends[1]);
    }
    close(ends[1]);
    const auto turns = 1 + random() % 5;
    for (size_t i = 0; i < turns; ++i) {
      ASSERT_EQ(read(ends[0], &acknowledged, sizeof(acknowledged)), ssize_t{sizeof(acknowledged)});
    }
    usleep(static_cast<useconds_t>(random() % 3000));
    kill(child, SIGKILL);
    int64_t more = 0;
    while (read(ends[0], &more, sizeof(more)) == ssize_t{sizeof(more)}) acknowledged = more;
    close(ends[0]);
    waitpid(child, nullptr, 0);

    const auto memory = OpenMemory(dir.File("m"), FakeEmbedder()).value();
    const auto stream = memory->OpenStream("s", "t").value();  // the lock died with its holder
    ASSERT_GE(stream->journal_end().value(), acknowledged);
    ASSERT_TRUE(stream->Index(true));
    const VerifyReport report = memory->Verify().value();
    ASSERT_TRUE(report.ok) << report.faults[0];
  }
}

}  // namespace
}  // namespace anabranch
