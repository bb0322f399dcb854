// Moving and rebuilding memories, on real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "memory/memory_test_support.h"
#include "memory/reindex.h"
#include "memory/store_fixtures.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

constexpr const char* kQuestion = "When does the ferry to Skagen leave?";

void SayFacts(Writer* writer) {
  for (const char* fact : {"The ferry to Skagen leaves at seven from the northern pier.",
                           "My sister keeps eleven green parrots in her orangery.",
                           "The password of the telescope control room is heliotrope."}) {
    writer->Say(Role::kUser, fact);
    writer->Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  }
}

std::vector<std::string> Exported(Memory& memory) {
  std::vector<std::string> lines;
  EXPECT_TRUE(memory.Export("", [&](std::string_view line) -> Result<void> {
    lines.emplace_back(line);
    return {};
  }));
  return lines;
}

Result<StreamsReport> Import(Memory& memory, const std::vector<std::string>& lines) {
  size_t at = 0;
  return memory.Import(
      [&]() -> Result<std::optional<std::string>> {
        return at < lines.size() ? std::optional(lines[at++]) : std::nullopt;
      },
      {});
}

TEST(Portable, FromStoreToStoreAnExportStaysTheSameToTheByte) {
  StoreFixture first(StoreKind::kSqlite), last(StoreKind::kSqlite);
  const auto memory = first.Open("journal").value();
  for (const char* name : {"s", "a \xff name"}) {
    const auto stream = memory->OpenStream(name, "tokenizer+template").value();
    Writer writer(stream.get());
    SayFacts(&writer);
    writer.Say(Role::kUser, std::string("A zero \0 byte, half \xe6\x97 a character, \xff.", 38), 2);
  }
  ASSERT_TRUE(memory->Forget("s", {.matching = "green parrots"}, false));
  const std::vector<std::string> lines = Exported(*memory);
  StoreFixture postgres(StoreKind::kPostgres), chroma(StoreKind::kChroma);
  for (StoreFixture* store : {&postgres, &chroma, &last}) {
    {
      const auto copy = store->Open("journal").value();
      const auto report = Import(*copy, lines);
      ASSERT_TRUE(report) << report.error().Message();
      EXPECT_EQ(report->behind, "");
      EXPECT_EQ(Import(*copy, lines).error().kind, ErrorKind::kInvalid);
      EXPECT_EQ(Exported(*copy), lines);
      const VerifyReport verified = copy->Verify().value();
      EXPECT_TRUE(verified.ok) << ::testing::PrintToString(verified.faults);
    }
    // The server has it: another journal may not bring a stream of that name.
    const auto again = store->Open("journal").value();
    const auto stream = again->OpenStream("s", "tokenizer+template").value();
    RecallQuery query;
    query.turn_text = kQuestion;
    query.mode = RecallMode::kAlways;
    const RecallResult found = stream->Recall(query).value();
    EXPECT_EQ(found.fault, "");
    ASSERT_FALSE(found.passages.empty());
    EXPECT_THAT(found.passages[0].text, HasSubstr("leaves at seven"));
    if (store == &last) continue;
    const auto other = store->Open("another journal").value();
    EXPECT_THAT(Import(*other, lines).error().Message(), HasSubstr("already"));
    EXPECT_TRUE(other->List().value().empty());
  }
}

RecallResult Recall(Memory& memory, const std::string& name = "s") {
  const auto stream = memory.OpenStream(name, "tokenizer");
  EXPECT_TRUE(stream) << (stream ? "" : stream.error().Message());
  if (!stream) return {};
  RecallQuery query;
  query.turn_text = kQuestion;
  query.mode = RecallMode::kAlways;
  return (*stream)->Recall(query).value();
}

// A server's memory, its vectors at the server alone.
void FillEarlier(const std::string& location, const MemoryOptions& options, int n_more = 0) {
  const auto memory = OpenMemory(location, FakeEmbedder(), options).value();
  const auto stream = memory->OpenStream("s", "tokenizer").value();
  Writer writer(stream.get());
  SayFacts(&writer);
  std::string text;
  for (int i = 0; i < n_more; ++i) {
    text += "The clerk of room " + std::to_string(i) + " wrote a short note about the weather. ";
  }
  writer.Say(Role::kUser, text, 5000, false);
  writer.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
}

class ReindexAtServer : public ::testing::TestWithParam<StoreKind> {};

TEST_P(ReindexAtServer, AnotherEmbeddersUnitsTakeThePlaceOfTheOldOnes) {
  StoreFixture store(GetParam());
  MemoryOptions options;
  options.journal = store.JournalPath("journal");
  if (GetParam() == StoreKind::kPostgres) options.password = testing::PostgresServer::kPassword;
  FillEarlier(store.location(), options);
  EXPECT_THAT(OpenMemory(store.location(), FakeEmbedder(128), options).error().remedy,
              HasSubstr("memory reindex"));
  const auto report = Reindex(store.location(), FakeEmbedder(128), options, "", {});
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_EQ(report->behind, "");
  const auto memory = OpenMemory(store.location(), FakeEmbedder(128), options).value();
  const RecallResult found = Recall(*memory);
  EXPECT_EQ(found.fault, "");
  ASSERT_FALSE(found.passages.empty());
  EXPECT_THAT(found.passages[0].text, HasSubstr("leaves at seven"));
  const VerifyReport verified = memory->Verify().value();
  EXPECT_TRUE(verified.ok) << ::testing::PrintToString(verified.faults);
}

// The new index is used here until the server is back, which then gets it.
TEST_P(ReindexAtServer, AServerThatIsAwayIsBroughtUpLater) {
  StoreFixture store(GetParam());
  MemoryOptions options;
  options.journal = store.JournalPath("journal");
  if (GetParam() == StoreKind::kPostgres) options.password = testing::PostgresServer::kPassword;
  FillEarlier(store.location(), options);
  store.StopServer();
  const auto report = Reindex(store.location(), FakeEmbedder(128), options, "", {});
  store.StartServer();
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_NE(report->behind, "");
  {
    const auto memory = OpenMemory(store.location(), FakeEmbedder(128), options).value();
    EXPECT_FALSE(Recall(*memory).passages.empty());
  }
  const auto memory = OpenMemory(store.location(), FakeEmbedder(128), options).value();
  const VerifyReport verified = memory->Verify().value();
  EXPECT_TRUE(verified.ok) << ::testing::PrintToString(verified.faults);
  const RecallResult found = Recall(*memory);
  EXPECT_EQ(found.fault, "");
  EXPECT_FALSE(found.passages.empty());
}

INSTANTIATE_TEST_SUITE_P(Servers, ReindexAtServer,
                         ::testing::Values(StoreKind::kPostgres, StoreKind::kChroma),
                         [](const auto& kind) { return StoreName(kind.param); });

TEST(Verify, SeesVectorsThatAServerHasChanged) {
  const std::string database = Postgres().CreateDatabase();
  TempDir dir;
  MemoryOptions options;
  options.journal = dir.File("journal");
  options.password = testing::PostgresServer::kPassword;
  FillEarlier(Postgres().Location(database), options, 100);
  const auto memory = OpenMemory(Postgres().Location(database), FakeEmbedder(), options).value();
  EXPECT_TRUE(memory->Verify().value().ok);
  Postgres().Sql(database,
                 "UPDATE anabranch.unit SET embedding = other.embedding FROM anabranch.unit other "
                 "WHERE other.text LIKE '%parrots%' AND unit.text LIKE '%room%'");
  const VerifyReport report = memory->Verify().value();
  EXPECT_FALSE(report.ok);
  ASSERT_FALSE(report.faults.empty());
  EXPECT_THAT(report.faults[0], HasSubstr("another vector"));
  EXPECT_THAT(report.faults[0], HasSubstr("memory reindex"));
}

// Chroma keeps the graph of a collection in a folder of its own, written every 1,000 records.
TEST(Reindex, HealsAChromaServerWhoseIndexFilesAreDamaged) {
  namespace fs = std::filesystem;
  testing::ChromaServer server(ANABRANCH_SOURCE_DIR);
  ASSERT_TRUE(server.Start()) << server.Log();
  TempDir dir;
  MemoryOptions options;
  options.journal = dir.File("journal");
  FillEarlier(server.location(), options, 1200);
  const auto expect_whole = [&] {
    const auto memory = OpenMemory(server.location(), FakeEmbedder(), options).value();
    const RecallResult found = Recall(*memory);
    EXPECT_EQ(found.fault, "");
    EXPECT_FALSE(found.passages.empty());
    const VerifyReport verified = memory->Verify().value();
    EXPECT_TRUE(verified.ok) << ::testing::PrintToString(verified.faults);
  };
  expect_whole();
  const auto damages = {
      +[](const fs::path& folder) { fs::resize_file(folder / "index_metadata.pickle", 10); },
      +[](const fs::path& folder) { fs::remove(folder / "header.bin"); },
      +[](const fs::path& folder) { fs::remove_all(folder); }};
  for (const auto damage : damages) {
    server.Stop(SIGKILL);
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(server.folder())) {
      if (entry.is_directory() &&
          (newest.empty() || entry.last_write_time() > fs::last_write_time(newest))) {
        newest = entry.path();
      }
    }
    ASSERT_TRUE(fs::exists(newest / "header.bin")) << newest;
    damage(newest);
    ASSERT_TRUE(server.Start()) << server.Log();
    {
      const auto memory = OpenMemory(server.location(), FakeEmbedder(), options).value();
      EXPECT_NE(Recall(*memory).fault, "") << "the damage did none";
      EXPECT_FALSE(memory->Verify().value().ok);
    }
    const auto report = Reindex(server.location(), FakeEmbedder(), options, "s", {});
    ASSERT_TRUE(report) << report.error().Message();
    EXPECT_EQ(report->behind, "");
    expect_whole();
  }
}

}  // namespace
}  // namespace anabranch
