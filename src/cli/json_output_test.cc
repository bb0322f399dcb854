#include "cli/json_output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace anabranch::cli {
namespace {

using nlohmann::json;

// The object that a reader of the line gets.
json Parsed(const OrderedJson& object) {
  const std::string line = JsonLine(object);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return json::parse(line);
}

Answer ExampleAnswer() {
  Answer answer;
  answer.turn = 7;
  answer.text = "Dolores\nPark";
  answer.stop = StopReason::kLength;
  answer.recall.decision = RecallDecision::kUsed;
  Passage passage;
  passage.stream = "notes";
  passage.span = {StreamPos(10), StreamPos(30)};
  passage.role = Role::kAssistant;
  passage.time_ms = 1714566605000;
  passage.score = 0.5f;
  passage.text = "a passage";
  answer.recall.passages.push_back(passage);
  answer.window = {StreamPos(100), StreamPos(150)};
  answer.prompt_tokens = 12;
  answer.recalled_tokens = 20;
  answer.answer_tokens = 3;
  answer.evicted_tokens = 35;
  return answer;
}

TEST(JsonOutputTest, WhatIsRememberedHasTheDocumentedFields) {
  EXPECT_EQ(JsonLine(RememberedJson("a \"b\"", StreamPos(1200), StreamPos(1100))),
            R"({"type":"remembered","stream":"a \"b\"","end":1200,"indexed":1100})"
            "\n");
}

TEST(JsonOutputTest, ATurnHasTheDocumentedFields) {
  const json turn = Parsed(TurnJson(ExampleAnswer(), "Where?"));
  EXPECT_EQ(turn["type"], "turn");
  EXPECT_EQ(turn["turn"], 7);
  EXPECT_EQ(turn["user"], "Where?");
  EXPECT_EQ(turn["answer"], "Dolores\nPark");
  EXPECT_EQ(turn["stop"], "length");
  EXPECT_EQ(turn["recall"], "used");
  EXPECT_EQ(turn["prompt_tokens"], 12);
  EXPECT_EQ(turn["recalled_tokens"], 20);
  EXPECT_EQ(turn["answer_tokens"], 3);
  EXPECT_EQ(turn["evicted_tokens"], 35);
  EXPECT_EQ(turn["window"], json::array({100, 150}));
  EXPECT_TRUE(turn["prefill_ms"].is_number() && turn["decode_ms"].is_number());
  ASSERT_EQ(turn["recalled"].size(), 1u);
  const json& passage = turn["recalled"][0];
  EXPECT_EQ(passage["stream"], "notes");
  EXPECT_EQ(passage["begin"], 10);
  EXPECT_EQ(passage["end"], 30);
  EXPECT_EQ(passage["role"], "assistant");
  EXPECT_EQ(passage["time"], "2024-05-01T12:30:05Z");
  EXPECT_EQ(passage["score"], 0.5);
  EXPECT_EQ(passage["text"], "a passage");
}

TEST(JsonOutputTest, NothingIsRecalledButWhatWasUsed) {
  Answer answer = ExampleAnswer();
  answer.recall.decision = RecallDecision::kBelowThreshold;
  const json turn = Parsed(TurnJson(answer, ""));
  EXPECT_EQ(turn["recall"], "below_threshold");
  EXPECT_EQ(turn["recalled"], json::array());
}

TEST(JsonOutputTest, WordsForStopsAndDecisionsAreTheDocumentedOnes) {
  std::set<std::string> stops, decisions;
  Answer answer;
  for (const StopReason stop :
       {StopReason::kEos, StopReason::kLength, StopReason::kInterrupt, StopReason::kError}) {
    answer.stop = stop;
    stops.insert(Parsed(TurnJson(answer, ""))["stop"]);
  }
  for (const RecallDecision decision :
       {RecallDecision::kUsed, RecallDecision::kNone, RecallDecision::kBelowThreshold,
        RecallDecision::kOff, RecallDecision::kDegraded}) {
    decisions.insert(DecisionName(decision));
  }
  EXPECT_EQ(stops, (std::set<std::string>{"eos", "length", "interrupt", "error"}));
  EXPECT_EQ(decisions,
            (std::set<std::string>{"used", "none", "below_threshold", "off", "degraded"}));
}

TEST(JsonOutputTest, AnErrorHasWhatFaultAndRemedy) {
  const json error = Parsed(ErrorJson({ErrorKind::kIo, "a.gguf", "is cut off", "get it again"}));
  EXPECT_EQ(error, (json{{"type", "error"},
                         {"what", "a.gguf"},
                         {"fault", "is cut off"},
                         {"remedy", "get it again"}}));
}

TEST(JsonOutputTest, TheSummaryCountsTokensAndMemory) {
  Summary summary;
  summary.stats.tokens = 6000;
  summary.stats.evicted = 5000;
  summary.peak_rss_bytes = 123;
  summary.model.load_ms = 4.5;
  const json object = Parsed(SummaryJson(summary));
  EXPECT_EQ(object["type"], "summary");
  EXPECT_EQ(object["tokens"], 6000);
  EXPECT_EQ(object["evicted"], 5000);
  EXPECT_EQ(object["peak_rss_bytes"], 123);
  EXPECT_EQ(object["load_ms"], 4.5);
}

TEST(JsonOutputTest, TextThatIsNotUtf8DoesNotBreakTheLine) {
  Answer answer;
  answer.text = "a\xFF";
  EXPECT_EQ(Parsed(TurnJson(answer, "\xC3"))["answer"], "a\uFFFD");
}

}  // namespace
}  // namespace anabranch::cli
