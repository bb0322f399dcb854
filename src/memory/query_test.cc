#include "memory/query.h"

#include <gtest/gtest.h>

#include "memory/decision.h"
#include "memory/lexical.h"
#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

std::vector<std::string> Ask(std::string_view turn, std::string_view previous = "") {
  std::vector<std::string> texts;
  for (const Query& query : BuildQueries(turn, previous, CountFakePieces)) {
    texts.push_back(query.text);
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(BuildQueries, TheLastSentenceAndTheOtherQuestionsAsk) {
  EXPECT_EQ(Ask("I met a man. Which city did the man in the red coat come from? "
                "What colour did the old house by the river have?"),
            (Texts{"What colour did the old house by the river have?",
                   "Which city did the man in the red coat come from?"}));
}

TEST(BuildQueries, AnAsideWeighsLessThanTheQuestion) {
  const auto queries = BuildQueries(
      "Which city did the man in the red coat come from? Answer in one word.", "", CountFakePieces);
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[0].text, "Answer in one word.");
  EXPECT_LT(queries[0].weight, queries[1].weight);
}

TEST(BuildQueries, WithoutAQuestionTheLastSentencesAsk) {
  EXPECT_EQ(Ask("I met a man. Tell me all about the red coat that the man wore."),
            (Texts{"Tell me all about the red coat that the man wore.",
                   "I met a man. Tell me all about the red coat that the man wore."}));
}

TEST(BuildQueries, AShortOrAnaphoricQuestionIsAskedWithThePreviousTurnToo) {
  EXPECT_EQ(Ask("When was he born?", "Tell me about Linnaeus."),
            (Texts{"When was he born?", "Tell me about Linnaeus. When was he born?"}));
  EXPECT_EQ(Ask("In which of all the years of that century was he born?", "Linnaeus.").size(), 2u);
  EXPECT_EQ(Ask("Which city did the man in the red coat come from?", "Linnaeus.").size(), 1u);
}

TEST(BuildQueries, AQuestionThatLeansAndNamesNothingWeighsLittleAlone) {
  const auto weight = [](std::string_view turn, std::string_view previous) {
    return BuildQueries(turn, previous, CountFakePieces).front().weight;
  };
  EXPECT_LT(weight("When was he born?", "Tell me about Linnaeus."), 1);
  EXPECT_EQ(weight("When was Linnaeus born?", "Good morning."), 1);
  EXPECT_EQ(weight("When was he born?", ""), 1);
  const auto queries =
      BuildQueries("When was he born?", "Tell me about Linnaeus.", CountFakePieces);
  EXPECT_EQ(queries.back().weight, 1);
}

TEST(BuildQueries, WhatAsksNothingLeansOnNothing) {
  EXPECT_EQ(Ask("Thank you, that helps a lot!", "Tell me about Linnaeus."),
            (Texts{"Thank you, that helps a lot!"}));
}

TEST(BuildQueries, AShortQuestionThatNamesSomethingDoesNotLeanOnALongText) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "And the ship sailed on past the islands of the north. ";
  EXPECT_EQ(Ask("Where is Bob?", text).size(), 1u);
  EXPECT_EQ(Ask("Where is Bob?", "I wrote to him.").size(), 2u);
}

TEST(BuildQueries, OfTheTurnBeforeTheLastSentenceCounts) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "And the ship sailed on past the islands of the north. ";
  EXPECT_EQ(Ask("Where is he?", text + "I wrote to Linnaeus."),
            (Texts{"Where is he?", "I wrote to Linnaeus. Where is he?"}));
}

TEST(BuildQueries, StayWithinTheirSize) {
  std::string many, one = "Is it ";
  for (int i = 0; i < 100; ++i) many += "Which city did man number " + std::to_string(i) + " see? ";
  for (int i = 0; i < 500; ++i) one += "very ";
  int pieces = 0;
  for (const std::string& query : Ask(many)) pieces += CountFakePieces(query);
  EXPECT_LE(pieces, 128);
  EXPECT_GT(pieces, 100);
  for (const std::string& query : Ask(one + "late?")) EXPECT_LE(CountFakePieces(query), 128);
}

TEST(BuildQueries, ABlankTurnAsksNothing) { EXPECT_TRUE(Ask(" \n ").empty()); }

TEST(IndexedWords, StandApartInOrderWithTheirStream) {
  EXPECT_EQ(IndexedWords(12,
                         "b\xff"
                         "a"),
            "12\u00b7a 12\u00b7b");
}

TEST(ContentWords, LeaveOutTheWordsOfAnyQuestion) {
  EXPECT_EQ(ContentWords("What is the secret password?"), (Texts{"password", "secret"}));
}

TEST(CalibratedThreshold, LiesAboveMostNullScoresAndAboveTheFloor) {
  const std::vector<float> low(64, 0.1f);
  EXPECT_GT(CalibratedThreshold(low), 0.3f);
  std::vector<float> high;
  for (int i = 0; i < 64; ++i) high.push_back(0.3f + 0.005f * static_cast<float>(i));
  const float threshold = CalibratedThreshold(high);
  EXPECT_GT(std::count_if(high.begin(), high.end(), [&](float s) { return s < threshold; }), 51);
  EXPECT_LT(threshold, 0.7f);
  EXPECT_EQ(CalibratedThreshold({}), CalibratedThreshold(low));
}

}  // namespace
}  // namespace anabranch
