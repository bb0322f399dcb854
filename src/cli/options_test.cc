#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

using ::testing::HasSubstr;

TEST(OptionsTest, CommandsHaveTheirOwnDefaults) {
  const StreamOptions run = ToStreamOptions({}, {}, kRunDefaults, 0).value();
  EXPECT_FALSE(run.streaming);
  EXPECT_EQ(run.recall, RecallMode::kNever);
  EXPECT_EQ(run.keep, 0);
  EXPECT_EQ(run.start_size, 4);
  EXPECT_EQ(run.recent_size, std::nullopt);
  EXPECT_EQ(run.chunk_size, 40);
  EXPECT_EQ(run.recall_tokens, 400);
  EXPECT_EQ(ToSamplerOptions({}, kRunDefaults).temperature, 0.0f);

  const StreamOptions chat = ToStreamOptions({}, {}, kChatDefaults, 0).value();
  EXPECT_TRUE(chat.streaming);
  EXPECT_EQ(chat.recall, RecallMode::kEvicted);
  EXPECT_EQ(chat.keep, -1);
  EXPECT_EQ(ToSamplerOptions({}, kChatDefaults).temperature, 0.8f);
}

TEST(OptionsTest, TheRetrieverFlagsAreModesOfRecall) {
  const auto mode = [](const char* recall, bool retriever, bool always) {
    return ResolveRecall({.recall = recall, .retriever = retriever, .always_retriever = always},
                         RecallMode::kNever);
  };
  EXPECT_EQ(mode("", false, false).value(), RecallMode::kNever);
  EXPECT_EQ(mode("", true, false).value(), RecallMode::kEvicted);
  EXPECT_EQ(mode("", true, true).value(), RecallMode::kAlways);
  EXPECT_EQ(mode("", false, true).value(), RecallMode::kAlways);
  EXPECT_EQ(mode("always", false, true).value(), RecallMode::kAlways);
  EXPECT_FALSE(mode("never", true, false));
  EXPECT_FALSE(mode("evicted", false, true));
  EXPECT_EQ(ResolveRecall({.recall = "never"}, RecallMode::kEvicted).value(), RecallMode::kNever);
}

TEST(OptionsTest, CtxSizeIsStartAndKeepAndRecent) {
  const auto recent = [](const SizeFlags& sizes, int64_t system_tokens) {
    return ToStreamOptions(sizes, {}, kRunDefaults, system_tokens);
  };
  EXPECT_EQ(recent({.ctx_size = 1024}, 50)->recent_size, 1020);
  EXPECT_EQ(recent({.start_size = 0, .ctx_size = 1024, .keep = 24}, 50)->recent_size, 1000);
  EXPECT_EQ(recent({.ctx_size = 1024, .keep = -1}, 50)->recent_size, 970);
  const auto none_left = recent({.ctx_size = 20, .keep = 16}, 0);
  ASSERT_FALSE(none_left);
  EXPECT_THAT(none_left.error().Message(), HasSubstr("give at least 21"));
  EXPECT_FALSE(recent({.recent_size = 5, .ctx_size = 1024}, 0));
}

TEST(OptionsTest, ASeedThatIsGivenIsTheSeed) {
  EXPECT_EQ(ToSamplerOptions({.seed = 42}, kChatDefaults).seed, 42u);
}

TEST(OptionsTest, ThePasswordIsTheFilesElseTheEnvironments) {
  const testing::TempDir folder;
  const Environment env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "ANABRANCH_MEMORY_PASSWORD") return "of the environment";
    return std::nullopt;
  };
  const auto read = [&](const std::string& path) {
    return ReadMemoryPassword({.memory = "", .journal = "", .password_file = path}, env);
  };
  EXPECT_EQ(read("").value(), "of the environment");
  EXPECT_EQ(read(folder.WriteFile("password", "of the file\r\n")).value(), "of the file");
  EXPECT_THAT(read(folder.WriteFile("empty", "\n")).error().Message(), HasSubstr("no password"));
  EXPECT_EQ(read(folder.WriteFile("long", std::string(5000, 'x'))).error().kind, ErrorKind::kLimit);
  EXPECT_EQ(read(folder.File("missing")).error().kind, ErrorKind::kNotFound);
}

TEST(OptionsTest, RecallFromNeedsARecall) {
  const RecallFlags flags{.recall = "evicted", .from = {"notes", "work"}};
  EXPECT_EQ(ToStreamOptions({}, flags, kRunDefaults, 0)->recall_from, flags.from);
  const auto never = ToStreamOptions({}, {.recall = "never", .from = flags.from}, kRunDefaults, 0);
  ASSERT_FALSE(never);
  EXPECT_THAT(never.error().Message(), HasSubstr("--recall evicted"));
}

}  // namespace
}  // namespace anabranch::cli
