#include "cli/eval_cases.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

RecallCase Case(const std::string& id) {
  RecallCase ran;
  ran.conversation = "test-1";
  ran.arm = "default";
  ran.budget = 400;
  ran.id = id;
  ran.kind = "own";
  ran.traits = {"ferry", "corrected"};
  ran.held = {true, false};
  ran.tokens = 317;
  ran.ms = 1.5;
  return ran;
}

TEST(EvalCases, AFileGoesOnWhereItEnded) {
  const testing::TempDir dir;
  const std::string path = dir.path() + "/cases.jsonl";
  {
    auto cases = EvalCases::Open(path);
    ASSERT_TRUE(cases) << cases.error().Message();
    ASSERT_TRUE(cases->Add(Case("001-own")));
  }
  auto cases = EvalCases::Open(path);
  ASSERT_TRUE(cases) << cases.error().Message();
  EXPECT_TRUE(cases->Contains(Case("001-own")));
  EXPECT_FALSE(cases->Contains(Case("002-own")));
  ASSERT_EQ(cases->cases().size(), 1u);
  EXPECT_EQ(cases->cases()[0].held, (std::vector<bool>{true, false}));
  EXPECT_EQ(cases->cases()[0].traits, Case("").traits);
  EXPECT_EQ(cases->cases()[0].tokens, 317);
}

TEST(EvalCases, ALineThatWasCutOffIsRunAgain) {
  const testing::TempDir dir;
  const std::string path = dir.path() + "/cases.jsonl";
  ASSERT_TRUE(EvalCases::Open(path)->Add(Case("001-own")));
  std::ofstream(path, std::ios::app) << R"({"type":"case","conver)";
  {
    auto cases = EvalCases::Open(path);
    ASSERT_TRUE(cases) << cases.error().Message();
    EXPECT_EQ(cases->cases().size(), 1u);
    ASSERT_TRUE(cases->Add(Case("002-own")));
  }
  const auto cases = EvalCases::Open(path);
  ASSERT_TRUE(cases) << cases.error().Message();
  EXPECT_EQ(cases->cases().size(), 2u);
}

TEST(EvalCases, AFileOfSomethingElseIsRefusedAndStaysAsItIs) {
  const testing::TempDir dir;
  const std::string path = dir.path() + "/notes.txt";
  std::ofstream(path) << "milk\nbread";
  const auto cases = EvalCases::Open(path);
  ASSERT_FALSE(cases);
  EXPECT_EQ(cases.error().kind, ErrorKind::kCorrupt);
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "milk\nbread");
}

}  // namespace
}  // namespace anabranch::cli
