#include "memory/reindex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "memory/memory_test_support.h"
#include "memory/schema.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

constexpr const char* kQuestion = "Where does the blue submarine dive?";
const StepFn kNoStep;

// Text of more than one transaction's work.
void Fill(const std::string& path, const std::string& stream = "s") {
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  const auto writer_of = memory->OpenStream(stream, "t").value();
  Writer writer(writer_of.get());
  writer.Say(Role::kUser, "The blue submarine dives at the marzipan harbour of Lubeck.");
  std::string text;
  for (int i = 0; i < 800; ++i) {
    text += "The clerk of room " + std::to_string(i) + " wrote a short note about the weather. ";
    if (i % 100 == 99) {
      writer.Say(i % 200 == 99 ? Role::kAssistant : Role::kUser, text, 5000, /*index=*/false);
      text.clear();
    }
  }
  EXPECT_TRUE(writer_of->Index(true));
}

Result<StreamsReport> Rebuild(const std::string& path, const EmbedderHandle& embedder,
                              const StepFn& on_step = kNoStep, const std::string& stream = "") {
  return Reindex(path, embedder, {}, stream, on_step);
}

// Texts that were embedded, those of null queries left out.
EmbedderHandle Counting(int32_t width, int64_t* n) {
  EmbedderHandle embedder = FakeEmbedder(width);
  const auto embed = embedder.embed;
  embedder.embed = [embed, n](std::span<const std::string_view> texts, std::span<float> vectors) {
    for (const std::string_view text : texts) {
      if (text.find("The clerk of room") != text.npos) ++*n;
    }
    return embed(texts, vectors);
  };
  return embedder;
}

int64_t Query(const std::string& path, const char* sql) {
  return Database::Open(path, path).value()->QueryInt(sql).value();
}
int64_t CountUnits(const std::string& path) { return Query(path, "SELECT count(*) FROM unit"); }
int64_t CountNext(const std::string& path) {
  const char* tables = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'next_%'";
  return Query(path, tables) == 0 ? -1 : Query(path, "SELECT count(*) FROM next_unit");
}
void Damage(const std::string& path, const char* sql) {
  ASSERT_TRUE(Database::Open(path, path).value()->Exec(sql)) << sql;
}

std::string Found(Memory& memory, const std::string& stream = "s") {
  const auto passages = memory.Search(stream, kQuestion, 1);
  return passages && !passages->empty() ? passages->front().text
                                        : (passages ? "" : passages.error().Message());
}
void ExpectWhole(const std::string& path, const EmbedderHandle& embedder) {
  const auto memory = OpenMemory(path, embedder);
  ASSERT_TRUE(memory) << memory.error().Message();
  const VerifyReport report = (*memory)->Verify().value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
  EXPECT_TRUE(report.cut_checked);
  EXPECT_THAT(Found(**memory), HasSubstr("marzipan harbour"));
  EXPECT_EQ(CountNext(path), -1);
}

// Ends the work after n steps.
StepFn StopAfter(int n) {
  return [n](const char*, int64_t, int64_t) mutable {
    return --n > 0 ? Result<void>() : Result<void>(Fail(ErrorKind::kInterrupted, "", "enough"));
  };
}

TEST(Reindex, AnotherEmbedderTakesThePlaceOfTheOldOne) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  Fill(path, "another");
  const int64_t units = CountUnits(path);
  const auto refused = OpenMemory(path, FakeEmbedder(32));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().remedy, HasSubstr("memory reindex"));
  const auto report = Rebuild(path, FakeEmbedder(32));
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_EQ(report->streams.size(), 2u);
  EXPECT_EQ(CountUnits(path), units);
  ExpectWhole(path, FakeEmbedder(32));
  EXPECT_FALSE(OpenMemory(path, FakeEmbedder()));
}

TEST(Reindex, RecallHasTheOldIndexUntilTheNewOneIsWhole) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  int steps = 0;
  const auto report =
      Rebuild(path, FakeEmbedder(32), [&](const char*, int64_t done, int64_t total) {
        EXPECT_LE(done, total);
        if (++steps % 3 == 1) {
          EXPECT_THAT(Found(*memory), HasSubstr("marzipan harbour"));
        }
        return Result<void>();
      });
  ASSERT_TRUE(report);
  EXPECT_GE(steps, 4);
  // What was opened before is told, not given another embedder's vectors.
  EXPECT_THAT(memory->OpenStream("s", "t").error().Message(), HasSubstr("embedder"));
}

TEST(Reindex, WhoReadsAStreamIsToldThatItWasIndexedAnew) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  Fill(path, "another");
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  const auto writer = memory->OpenStream("another", "t").value();
  const auto reader = memory->OpenReader("s").value();
  const RecallQuery query = {.turn_text = kQuestion, .mode = RecallMode::kAlways, .threshold = 0};
  EXPECT_FALSE(reader->Recall(query).value().passages.empty());
  ASSERT_TRUE(Rebuild(path, FakeEmbedder(), kNoStep, "s"));
  const auto told = reader->Recall(query);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(told.error().Message(), HasSubstr("stream 's': was indexed anew"));
  EXPECT_FALSE(memory->OpenReader("s").value()->Recall(query).value().passages.empty());
  // Who writes a stream keeps that from being indexed anew.
  EXPECT_FALSE(writer->Recall(query).value().passages.empty());
}

TEST(Reindex, AKilledOneIsGoneOnWith) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  const pid_t child = fork();
  if (child == 0) {
    int steps = 0;
    Rebuild(path, FakeEmbedder(32), [&](const char*, int64_t, int64_t) -> Result<void> {
      if (++steps == 3) kill(getpid(), SIGKILL);
      return {};
    });
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const int64_t built = CountNext(path);
  EXPECT_GT(built, 100);
  {
    // The old index is whole, and used.
    const auto memory = OpenMemory(path, FakeEmbedder()).value();
    EXPECT_TRUE(memory->Verify().value().ok);
    EXPECT_THAT(Found(*memory), HasSubstr("marzipan harbour"));
  }
  int64_t embedded = 0;
  ASSERT_TRUE(Rebuild(path, Counting(32, &embedded)));
  EXPECT_LE(embedded, CountUnits(path) - built + 1);
  ExpectWhole(path, FakeEmbedder(32));
}

TEST(Reindex, WhatWasBuiltForAnotherEmbedderGoes) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  EXPECT_EQ(Rebuild(path, FakeEmbedder(32), StopAfter(3)).error().kind, ErrorKind::kInterrupted);
  EXPECT_GT(CountNext(path), 0);
  int64_t embedded = 0;
  ASSERT_TRUE(Rebuild(path, Counting(16, &embedded)));
  EXPECT_GE(embedded, CountUnits(path) - 1);
  ExpectWhole(path, FakeEmbedder(16));
}

TEST(Reindex, WhatIsForgottenMeanwhileIsNotBroughtBack) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  int steps = 0;
  const auto report = Rebuild(path, FakeEmbedder(), [&](const char*, int64_t, int64_t) {
    if (++steps == 3) {
      EXPECT_TRUE(memory->Forget("s", {.matching = "marzipan"}, false));
      EXPECT_EQ(CountNext(path), -1);
    }
    return Result<void>();
  });
  ASSERT_TRUE(report) << report.error().Message();
  const auto again = OpenMemory(path, FakeEmbedder()).value();
  EXPECT_TRUE(again->Verify().value().ok);
  EXPECT_THAT(Found(*again), ::testing::Not(HasSubstr("marzipan")));
}

TEST(Reindex, HealsADamagedIndex) {
  for (const char* damage :
       {"UPDATE vector SET data = zeroblob(3) WHERE unit % 7 = 0",
        "UPDATE code SET data = zeroblob(3) WHERE unit % 7 = 0", "UPDATE unit SET turn = -1",
        "DELETE FROM unit WHERE key % 5 = 0", "UPDATE unit SET text_end = text_begin + 1",
        "DELETE FROM term_df", "UPDATE stream SET indexed_text = 0, null_scores = x'ff'",
        "INSERT INTO unit_words(unit_words) VALUES('delete-all')"}) {
    TempDir dir;
    const std::string path = dir.File("m");
    Fill(path);
    const int64_t units = CountUnits(path);
    Damage(path, damage);
    ASSERT_TRUE(Rebuild(path, FakeEmbedder(), kNoStep, "s")) << damage;
    EXPECT_EQ(CountUnits(path), units) << damage;
    ExpectWhole(path, FakeEmbedder());
  }
}

TEST(Reindex, ErrorsOfADamagedIndexNameIt) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  Damage(path, "UPDATE code SET data = zeroblob(3)");
  const auto memory = OpenMemory(path, FakeEmbedder()).value();
  EXPECT_THAT(memory->OpenStream("s", "t").error().remedy, HasSubstr("memory reindex"));
}

TEST(Reindex, AnotherCuttersUnitsAreCutAnew) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  Damage(path, "UPDATE meta SET value = '0' WHERE key = 'cutter'");
  EXPECT_THAT(OpenMemory(path, FakeEmbedder()).error().remedy, HasSubstr("memory reindex"));
  ASSERT_TRUE(Rebuild(path, FakeEmbedder()));
  ExpectWhole(path, FakeEmbedder());
}

TEST(Reindex, OneStreamAloneKeepsTheOthers) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  Fill(path, "another");
  const char* others =
      "SELECT sum(key) FROM unit JOIN stream ON stream.id = stream WHERE name = "
      "'another'";
  const int64_t keys = Query(path, others);
  EXPECT_EQ(Rebuild(path, FakeEmbedder(32), kNoStep, "s").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Rebuild(path, FakeEmbedder(), kNoStep, "none").error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(Rebuild(path, FakeEmbedder(), kNoStep, "s"));
  EXPECT_EQ(Query(path, others), keys);
  ExpectWhole(path, FakeEmbedder());
  EXPECT_THAT(Found(*OpenMemory(path, FakeEmbedder()).value(), "another"), HasSubstr("marzipan"));
}

TEST(Reindex, UnitsHaveTheSizesOfTheEmbedder) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  const int64_t units = CountUnits(path);
  EmbedderHandle embedder = FakeEmbedder();
  embedder.units = {.min_pieces = 30, .max_pieces = 64};
  ASSERT_TRUE(Rebuild(path, embedder));
  EXPECT_LT(CountUnits(path), units / 2);
  ExpectWhole(path, embedder);
}

TEST(Reindex, WaitsForAWriterWithItsLastStepAlone) {
  TempDir dir;
  const std::string path = dir.File("m");
  Fill(path);
  auto memory = OpenMemory(path, FakeEmbedder()).value();
  auto stream = memory->OpenStream("s", "t").value();
  const auto busy = Rebuild(path, FakeEmbedder(32));
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().kind, ErrorKind::kBusy);
  EXPECT_THAT(busy.error().remedy, HasSubstr("run memory reindex again"));
  // It goes on writing, and what it says is not missing.
  Writer(stream.get()).Say(Role::kUser, "The clerk of room 9999 said one thing more than others.");
  Writer(stream.get()).Say(Role::kAssistant, "So it is.");
  stream.reset();
  memory.reset();
  int64_t embedded = 0;
  ASSERT_TRUE(Rebuild(path, Counting(32, &embedded)));
  EXPECT_LE(embedded, 60);  // the tail that was not settled, and what came since
  ExpectWhole(path, FakeEmbedder(32));
}

}  // namespace
}  // namespace anabranch
