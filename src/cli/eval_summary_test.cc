#include "cli/eval_summary.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anabranch::cli {
namespace {

RecallCase Case(const std::string& kind, std::vector<bool> held, bool recalled = true) {
  RecallCase ran;
  ran.arm = "default";
  ran.budget = 400;
  ran.kind = kind;
  ran.held = std::move(held);
  ran.recalled = recalled;
  return ran;
}

const SummaryRow& RowOf(const std::vector<SummaryRow>& rows, const std::string& measure) {
  return *std::find_if(rows.begin(), rows.end(),
                       [&](const SummaryRow& row) { return row.measure == measure; });
}

TEST(Share, HasWilsonsInterval) {
  // The usual example: 10 of 100 at z = 1.96 lie in (0.0552, 0.1744).
  const Share share{.n = 100, .hits = 10};
  EXPECT_NEAR(share.low(), 0.0552, 1e-4);
  EXPECT_NEAR(share.high(), 0.1744, 1e-4);
}

TEST(Share, OfNoneOrAllStaysWithinItsBounds) {
  EXPECT_EQ((Share{.n = 20, .hits = 0}).low(), 0);
  EXPECT_GT((Share{.n = 20, .hits = 0}).high(), 0.1);
  EXPECT_EQ((Share{.n = 20, .hits = 20}).high(), 1);
  EXPECT_EQ((Share{}).low(), 0);
  EXPECT_EQ((Share{}).high(), 1);
}

TEST(Summarise, TheLastGroupOfEvidenceIsTheAnswer) {
  const std::vector<RecallCase> cases = {Case("own", {true, false}), Case("own", {false, true}),
                                         Case("other", {true, true})};
  const std::vector<SummaryRow> rows = Summarise(cases);
  EXPECT_EQ(RowOf(rows, "answer").share.hits, 2);
  EXPECT_EQ(RowOf(rows, "answer own").share.n, 2);
  EXPECT_EQ(RowOf(rows, "answer own").share.hits, 1);
  EXPECT_EQ(RowOf(rows, "both corrected").share.n, 3);
  EXPECT_EQ(RowOf(rows, "both corrected").share.hits, 1);
}

TEST(Summarise, BothCountOnlyInOrder) {
  std::vector<RecallCase> cases = {Case("own", {true, true})};
  cases[0].in_order = false;
  EXPECT_EQ(RowOf(Summarise(cases), "both corrected").share.hits, 0);
}

TEST(Summarise, FalseRecallsAreAPartOfWhatAsksForNothing) {
  const std::vector<SummaryRow> rows = Summarise(std::vector<RecallCase>{
      Case("small_talk", {}, true), Case("small_talk", {}, false), Case("own", {true})});
  EXPECT_EQ(RowOf(rows, "recall small_talk").share.n, 2);
  EXPECT_EQ(RowOf(rows, "recall small_talk").share.hits, 1);
  EXPECT_EQ(RowOf(rows, "answer").share.n, 1);
}

TEST(Summarise, EachArmAndBudgetHasItsRows) {
  std::vector<RecallCase> cases = {Case("own", {true}), Case("own", {true}), Case("own", {true})};
  cases[1].budget = 800;
  cases[2].arm = "other";
  int rows = 0;
  for (const SummaryRow& row : Summarise(cases)) rows += row.measure == "answer own" ? 1 : 0;
  EXPECT_EQ(rows, 3);
}

}  // namespace
}  // namespace anabranch::cli
