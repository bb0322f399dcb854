#include "cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/run_for_tests.h"
#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CommandsTest, AWrongUsageEndsWithTwo) {
  const testing::TempDir folder;
  const std::string broken = folder.WriteFile("broken.toml", "top-k = ");
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"run", "-p", "hi", "--enable-streaming=maybe"},
           {"run", "-p", "hi", "--config", folder.File("missing.toml")},
           {"run", "-p", "hi", "--config", broken},
           {"run", "-p", "hi", "--config", folder.WriteFile("unknown.toml", "top-q = 1")},
           {"chat", "-c", "3"},
           {"chat", "-c", "300", "--recent-size", "300"},
           {"memory", "search", "--memory", broken}}) {
    const Ran ran = RunLine(args);
    EXPECT_EQ(ran.code, kExitUsage) << ran.err;
    EXPECT_THAT(ran.err, Not(HasSubstr("stoll")));
    EXPECT_EQ(ran.out, "");
  }
}

TEST(CommandsTest, AWrongUsageIsToldInJsonToWhoeverAsksForIt) {
  const testing::TempDir folder;
  const std::vector<std::string> wrong = {"run", "-p", "hi", "--enable-streaming=maybe"};
  const auto with = [&wrong](std::vector<std::string> more) {
    more.insert(more.begin(), wrong.begin(), wrong.end());
    return more;
  };
  const std::string config = folder.WriteFile("c.toml", "json = true");
  for (const Ran& ran :
       {RunLine(with({"--json"})), RunLine(wrong, {{"ANABRANCH_JSON", "1"}}),
        RunLine(with({"--config", config})), RunLine(wrong, {{"ANABRANCH_CONFIG", config}})}) {
    EXPECT_EQ(ran.code, kExitUsage);
    const nlohmann::json object = nlohmann::json::parse(ran.out);
    EXPECT_EQ(object.at("type"), "error");
    EXPECT_THAT(std::string(object.at("fault")), HasSubstr("--enable-streaming: 'maybe'"));
  }
  EXPECT_EQ(RunLine(with({"--json=false"}), {{"ANABRANCH_JSON", "1"}}).out, "");
}

TEST(CommandsTest, LookingAtAnEmptyMemoryMakesNone) {
  const testing::TempDir folder;
  const std::string empty = folder.WriteFile("e0", "");
  for (const char* command : {"list", "show", "verify"}) {
    const Ran ran = RunLine({"memory", command, "--memory", empty});
    EXPECT_EQ(ran.code, kExitFailure);
    EXPECT_THAT(ran.err, HasSubstr("is empty"));
    EXPECT_EQ(std::filesystem::file_size(empty), 0u);
  }
}

TEST(CommandsTest, InspectNamesBothFormats) {
  const testing::TempDir folder;
  const Ran ran = RunLine({"inspect", folder.WriteFile("notes.md", "# Notes on nothing\n")});
  EXPECT_EQ(ran.code, kExitFailure);
  EXPECT_THAT(ran.err, HasSubstr("is neither a GGUF nor a safetensors file"));
}

TEST(CommandsTest, VersionNamesTheKernelsThatWouldRun) {
  EXPECT_THAT(RunLine({"--version"}, {{"ANABRANCH_KERNELS", "ref"}}).out,
              HasSubstr("kernels: ref"));
  EXPECT_THAT(RunLine({"--version"}, {{"ANABRANCH_KERNELS", "foo"}}).out,
              HasSubstr("kernels: none named foo"));
  EXPECT_EQ(RunLine({"run", "--version"}).out, RunLine({"--version"}).out);
}

TEST(CommandsTest, AMissingModelLeavesTheFileOfNllsAsItIs) {
  const testing::TempDir folder;
  const std::string nlls = folder.WriteFile("nll.txt", "0.5\n");
  const Ran ran = RunLine({"perplexity", "-f", folder.WriteFile("text", "a text"), "-m",
                           folder.File("missing.gguf"), "--nll-out", nlls});
  EXPECT_EQ(ran.code, kExitFailure);
  EXPECT_EQ(std::filesystem::file_size(nlls), 4u);
}

TEST(CommandsTest, EvalRecallNamesItsArmsAndWantsAConversation) {
  const Ran arms = RunLine({"eval", "recall", "--list-arms"});
  EXPECT_EQ(arms.code, kExitOk);
  EXPECT_THAT(arms.out, HasSubstr("default "));
  EXPECT_THAT(arms.out, HasSubstr("seed-100 "));
  EXPECT_EQ(RunLine({"eval", "recall"}).code, kExitUsage);
}

}  // namespace
}  // namespace anabranch::cli
