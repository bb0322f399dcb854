#include "cli/memory_place.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

Environment Of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(MemoryPlace, AFileNeedsNoJournal) {
  EngineOptions options;
  ASSERT_TRUE(
      PlaceMemory({.memory = "notes.db", .journal = "", .password_file = ""}, Of({}), &options));
  EXPECT_EQ(options.memory, "notes.db");
  EXPECT_EQ(options.journal, "");
}

TEST(MemoryPlace, EachServerHasAJournalOfItsOwnWhateverItsOptions) {
  const auto env = Of({{"HOME", "/home/ada"}});
  const std::string one = DefaultJournal("postgresql://ada@db:5432/notes", env);
  EXPECT_EQ(one, "/home/ada/.local/state/anabranch/journals/postgresql___ada@db_5432_notes");
  EXPECT_EQ(DefaultJournal("postgresql://ada@db:5432/notes?sslmode=verify-full", env), one);
  EXPECT_NE(DefaultJournal("postgresql://ada@db:5432/other", env), one);
}

TEST(MemoryPlace, TheFolderOfTheDefaultJournalIsMade) {
  const testing::TempDir state;
  EngineOptions options;
  ASSERT_TRUE(PlaceMemory(
      {.memory = "chroma:http://h:1", .journal = "", .password_file = ""},
      Of({{"XDG_STATE_HOME", state.path()}, {"ANABRANCH_MEMORY_PASSWORD", "quiet"}}), &options));
  EXPECT_EQ(options.journal, state.path() + "/anabranch/journals/chroma_http___h_1");
  EXPECT_TRUE(std::filesystem::is_directory(state.path() + "/anabranch/journals"));
  EXPECT_EQ(options.memory_password, "quiet");
}

TEST(MemoryPlace, AServerWithoutAPlaceForItsJournalIsAnError) {
  EngineOptions options;
  const auto placed = PlaceMemory(
      {.memory = "chroma:http://h:1", .journal = "", .password_file = ""}, Of({}), &options);
  EXPECT_EQ(placed.error().what, "--journal");
}

}  // namespace
}  // namespace anabranch::cli
