#include "cli/demo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace anabranch::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ArmResult ExampleArm(const char* name, const char* text) {
  ArmResult arm{.arm = name, .answer = {}, .stats = {}};
  arm.answer.text = text;
  arm.answer.answer_tokens = 10;
  arm.answer.prefill_ms = 5;
  arm.answer.decode_ms = 125;
  arm.found = HoldsText(text, "Dolores Park");
  arm.needle_in_context = arm.found;
  arm.stats.next = StreamPos(1234);
  arm.stats.evicted = 860;
  return arm;
}

// A stream of 1,000 tokens: 40 pinned, 100 in the window, the needle in the middle.
DemoReport ExampleReport() {
  DemoReport report;
  report.case_name = "case.json";
  report.question = "What is best in San Francisco?";
  report.expect = "Dolores Park";
  report.plan.n_pinned = 40;
  report.plan.recent_size = 100;
  report.read.next = StreamPos(1000);
  report.read.window_begin = StreamPos(900);
  report.read.pinned_end = StreamPos(40);
  report.needle = StreamSpan{StreamPos(500), StreamPos(504)};
  report.arms = {ExampleArm("streaming", "A bridge."), ExampleArm("evicted", "Dolores\nPark."),
                 ExampleArm("always", "dolores park")};
  Passage passage;
  passage.span = {StreamPos(490), StreamPos(510)};
  passage.text = "Eat a sandwich in Dolores Park.";
  passage.score = 0.62f;
  report.arms[1].answer.recall.decision = RecallDecision::kUsed;
  report.arms[1].answer.recall.passages = {passage};
  report.small_talk = "Thanks!";
  report.small_talk_arm = ExampleArm("small-talk", "You are welcome.");
  return report;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(DemoTest, AnswersAreSearchedWithoutCaseAndWhiteSpace) {
  EXPECT_TRUE(HoldsText("sit in  dolores\n\tPARK, on", "Dolores Park"));
  EXPECT_TRUE(HoldsText("Dolores Park", "dolores\npark"));
  EXPECT_FALSE(HoldsText("DoloresPark", "Dolores Park"));
  EXPECT_FALSE(HoldsText("Dolores", "Dolores Park"));
}

TEST(DemoTest, TheBarIsToScale) {
  DemoReport report = ExampleReport();
  const auto bar = [&report] { return LinesOf(DescribeDemo(report, 124)).at(1).substr(11); };
  const std::string expected =
      "SSSS" + std::string(46, '.') + "N" + std::string(39, '.') + std::string(10, '#');
  EXPECT_EQ(bar(), expected);
  report.needle->begin = StreamPos(950);
  EXPECT_EQ(bar().find('N'), 95u);
  report.read.pinned_end = StreamPos(4);  // less than a column is shown as one
  EXPECT_THAT(bar(), StartsWith("S."));
  report.needle.reset();
  EXPECT_THAT(bar(), Not(HasSubstr("N")));
}

TEST(DemoTest, PeopleSeeEachAnswerAndARowForEachArm) {
  const std::string text = DescribeDemo(ExampleReport(), kDemoColumns);
  EXPECT_THAT(text, HasSubstr("S: 40 sinks, '.': evicted, #: window of 100, N: the needle, 500"));
  EXPECT_THAT(text, HasSubstr("\nstreaming  not found  A bridge.\n"));
  EXPECT_THAT(text, HasSubstr("\nevicted    found      Dolores Park.\n"));
  EXPECT_THAT(text, HasSubstr("510 tokens ago; cosine 0.62"));
  EXPECT_THAT(text, HasSubstr("\"Eat a sandwich in Dolores Park.\""));
  EXPECT_THAT(text, HasSubstr("small talk \"Thanks!\" recalls nothing\n"));
  std::vector<std::string> rows;
  for (const std::string& line : LinesOf(text)) {
    if (line.find("1,234") != std::string::npos) rows.push_back(line);
  }
  EXPECT_THAT(rows, ElementsAre(StartsWith("streaming  no     no "), StartsWith("evicted    yes "),
                                StartsWith("always     yes ")));
  EXPECT_THAT(rows.at(0), HasSubstr("860"));
  EXPECT_THAT(rows.at(0), HasSubstr("12.50"));  // ms per token
}

TEST(DemoTest, ProgramsGetOneObjectForEachArm) {
  std::vector<std::string> arms;
  for (const std::string& line : LinesOf(DemoJsonLines(ExampleReport()))) {
    const nlohmann::json object = nlohmann::json::parse(line);
    arms.push_back(object.at("arm"));
    EXPECT_EQ(object.at("type"), "arm");
    EXPECT_EQ(object.at("case"), "case.json");
    EXPECT_EQ(object.at("user"),
              arms.back() == "small-talk" ? "Thanks!" : "What is best in San Francisco?");
    EXPECT_EQ(object.at("found"), arms.back() == "evicted" || arms.back() == "always");
    EXPECT_EQ(object.at("needle_in_context"), object.at("found"));
    EXPECT_EQ(object.at("ms"), 130.0);
    EXPECT_EQ(object.at("recalled").size(), arms.back() == "evicted" ? 1u : 0u);
  }
  EXPECT_THAT(arms, ElementsAre("streaming", "evicted", "always", "small-talk"));
}

}  // namespace
}  // namespace anabranch::cli
