#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "anabranch/evaluation.h"
#include "engine/eval_arms.h"
#include "engine/eval_conversation.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

std::string Write(const testing::TempDir& dir, const std::string& text) {
  const std::string path = dir.path() + "/conversation.json";
  std::ofstream(path) << text;
  return path;
}

TEST(HoldsWords, FindsWholeWordsAlone) {
  EXPECT_TRUE(HoldsWords("It leaves from platform 7.", "7"));
  EXPECT_FALSE(HoldsWords("It leaves from platform 17.", "7"));
  EXPECT_FALSE(HoldsWords("It leaves from platform 71, not 17.", "7"));
  EXPECT_TRUE(HoldsWords("17, no, 7", "7"));
  EXPECT_TRUE(HoldsWords("Ask Ivo's aunt", "Ivo"));
  EXPECT_FALSE(HoldsWords("", "Ivo"));
}

TEST(ReadEvalConversation, ReadsWhatTheGeneratorWrites) {
  const testing::TempDir dir;
  const auto read = ReadEvalConversation(Write(dir, R"({
      "format": "anabranch-conversation", "version": 1, "name": "test-1",
      "messages": [{"role": "user", "content": "Clara is a welder.", "time_ms": 5}],
      "questions": [{"id": "000-own", "kind": "own", "traits": ["by_user"], "previous": "Hm.",
                     "turn": "What is Clara?", "evidence": [["Clara", "welder"]]}]})"));
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_EQ(read->messages[0].content, "Clara is a welder.");
  EXPECT_EQ(read->messages[0].time_ms, 5);
  EXPECT_EQ(read->questions[0].evidence[0][1], "welder");
}

TEST(ReadEvalConversation, RefusesWhatIsNoConversationByName) {
  const testing::TempDir dir;
  for (const char* text :
       {"", "[]", "{}", "{\"format\": 1}", R"({"format": "anabranch-conversation", "version": 9})",
        R"({"format": "anabranch-conversation", "version": 1, "name": "a", "questions": [],
            "messages": [{"role": "nobody", "content": "", "time_ms": 0}]})",
        R"({"format": "anabranch-conversation", "version": 1, "name": "a", "messages": [],
            "questions": [{"id": 7}]})"}) {
    const std::string path = Write(dir, text);
    const auto read = ReadEvalConversation(path);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().what, path);
  }
}

TEST(EvalArms, HaveNamesOfTheirOwnAndTheFirstIsWhatShips) {
  std::set<std::string> names;
  for (const RecallArmInfo& arm : RecallArms()) EXPECT_TRUE(names.insert(arm.name).second);
  EXPECT_EQ(EvalArms().front().name, "default");
  EXPECT_EQ(EvalArms().front().hard_chunk, 0);
  EXPECT_FALSE(EvalArms().front().policy.decision.always);
}

// Two questions to three messages, asked of a tiny embedder that tells texts by their letters.
class EvaluateRecallTest : public ::testing::Test {
 protected:
  EvaluateRecallTest() {
    testing::WriteTinyEmbedder(dir_.path());
    options_.embedder = dir_.path();
    options_.tokenizer = dir_.WriteFile("tiny.gguf", testing::TinyModelGguf({}));
    options_.n_threads = 1;
    options_.conversations = {Write(dir_, R"({
        "format": "anabranch-conversation", "version": 1, "name": "tiny",
        "messages": [
          {"role": "user", "content": "Clara works as a welder in Lisbon these days.", "time_ms": 1},
          {"role": "assistant", "content": "It is good to hear that she does.", "time_ms": 2},
          {"role": "user", "content": "No, Clara works as a baker in Lisbon now.", "time_ms": 3}],
        "questions": [
          {"id": "0", "kind": "own", "traits": ["corrected"], "previous": "",
           "turn": "What does Clara work as in Lisbon these days?",
           "evidence": [["Clara", "welder"], ["Clara", "baker"]]},
          {"id": "1", "kind": "unanswerable", "traits": [], "previous": "",
           "turn": "What is it that Bob works as in Lisbon these days?", "evidence": []}]})")};
    options_.on_case = [this](const RecallCase& ran) {
      cases_.push_back(ran);
      return Result<void>();
    };
  }

  const testing::TempDir dir_;
  RecallEvaluationOptions options_;
  std::vector<RecallCase> cases_;
};

TEST_F(EvaluateRecallTest, AsksEachQuestionInEachWayWithEachBudget) {
  options_.arms = {"undecided", "seed-50"};
  options_.budgets = {10, 200};
  const auto done = EvaluateRecall(options_);
  ASSERT_TRUE(done) << done.error().Message();
  ASSERT_EQ(cases_.size(), 8u);
  std::set<std::tuple<std::string, int32_t, std::string>> keys;
  for (const RecallCase& ran : cases_) {
    EXPECT_TRUE(keys.emplace(ran.arm, ran.budget, ran.id).second);
    EXPECT_EQ(ran.conversation, "tiny");
    if (ran.arm == "undecided") {
      EXPECT_LE(ran.tokens, ran.budget);
    }
  }
}

TEST_F(EvaluateRecallTest, WhereAllFitsTheAnswersAreHeldInOrderAndWhereNothingFitsNone) {
  options_.arms = {"undecided"};
  options_.budgets = {3, 1000};
  const auto done = EvaluateRecall(options_);
  ASSERT_TRUE(done) << done.error().Message();
  ASSERT_EQ(cases_.size(), 4u);
  EXPECT_EQ(cases_[0].held, (std::vector<bool>{false, false}));
  EXPECT_EQ(cases_[2].held, (std::vector<bool>{true, true}));
  EXPECT_TRUE(cases_[2].in_order);
  EXPECT_TRUE(cases_[2].recalled);
  EXPECT_TRUE(cases_[3].held.empty());
  EXPECT_FALSE(cases_[3].answered());
}

TEST_F(EvaluateRecallTest, WhatIsDoneIsNotRunAgainAndAnErrorStopsIt) {
  options_.arms = {"undecided"};
  options_.budgets = {200};
  options_.is_done = [](const RecallCase& named) { return named.id == "0"; };
  ASSERT_TRUE(EvaluateRecall(options_));
  ASSERT_EQ(cases_.size(), 1u);
  EXPECT_EQ(cases_[0].id, "1");
  const std::atomic<bool> cancel = true;
  options_.cancel = &cancel;
  const auto interrupted = EvaluateRecall(options_);
  ASSERT_FALSE(interrupted);
  EXPECT_EQ(interrupted.error().kind, ErrorKind::kInterrupted);
}

TEST(EvaluateRecall, RefusesAnArmThatIsNotThere) {
  RecallEvaluationOptions options;
  options.arms = {"best"};
  const auto done = EvaluateRecall(options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace anabranch
