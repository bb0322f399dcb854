#include "memory/passages.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace anabranch {
namespace {

// Units of ten tokens in runs of given lengths, users and the model in turns.
struct Units {
  explicit Units(const std::vector<int>& runs, int64_t tokens = 10) {
    int64_t pos = 0, text = 0, turn = 0;
    for (const int n : runs) {
      pos += 3;  // the template
      for (int i = 0; i < n; ++i) {
        UnitRow row;
        row.text_begin = text;
        row.text_end = text += 40;
        row.span = {StreamPos(pos), StreamPos(pos + tokens)};
        pos += tokens;
        row.turn = turn;
        row.role = turn % 2 == 0 ? Role::kUser : Role::kAssistant;
        rows.push_back(row);
      }
      ++turn;
    }
    units = {static_cast<int64_t>(rows.size()),
             [this](int64_t i) -> const UnitRow& { return rows[static_cast<size_t>(i)]; },
             [](int64_t) { return true; }, [this](int64_t i) { return unfinished.contains(i); }};
  }
  std::vector<std::pair<int64_t, int64_t>> Plan(const std::vector<int64_t>& hits,
                                                PassageLimits limits) const {
    std::vector<Hit> list;
    for (const int64_t unit : hits) list.push_back({unit, 0.5f, 0, 0.5f, 0});
    std::vector<std::pair<int64_t, int64_t>> plans;
    for (const PassagePlan& p : PlanPassages(list, units, limits))
      plans.emplace_back(p.first, p.last);
    return plans;
  }
  std::vector<UnitRow> rows;
  std::set<int64_t> unfinished;
  PassageUnits units;
};

using Plans = std::vector<std::pair<int64_t, int64_t>>;

TEST(PlanPassages, AHitGrowsBehindAndBeforeUpToChunkSize) {
  EXPECT_EQ(Units({20}).Plan({10}, {.chunk_size = 40}), (Plans{{9, 12}}));
  EXPECT_EQ(Units({20}).Plan({10}, {.chunk_size = 10}), (Plans{{10, 10}}));
}

TEST(PlanPassages, NeighboursAreOfTheSameRunAndNoQuestions) {
  EXPECT_EQ(Units({5, 5, 5}).Plan({7}, {.chunk_size = 500, .recall_tokens = 500}), (Plans{{5, 9}}));
  Units units({20});
  units.rows[12].question = true;
  EXPECT_EQ(units.Plan({10}, {.chunk_size = 500, .recall_tokens = 500}), (Plans{{0, 11}}));
}

TEST(PlanPassages, ASentenceThatABorderCutsIsHandedOverWhole) {
  Units units({5, 2, 5});
  EXPECT_EQ(units.Plan({4}, {.chunk_size = 10}), (Plans{{4, 4}}));
  units.unfinished = {4};
  EXPECT_EQ(units.Plan({4}, {.chunk_size = 10}), (Plans{{4, 4}, {7, 7}}));
  EXPECT_EQ(units.Plan({7}, {.chunk_size = 10}), (Plans{{4, 4}, {7, 7}}));
  EXPECT_EQ(units.Plan({4}, {.chunk_size = 10, .unfinished = false}), (Plans{{4, 4}}));
  units.unfinished = {3, 7};
  EXPECT_EQ(units.Plan({4, 7}, {.chunk_size = 10}), (Plans{{4, 4}, {7, 7}}));
  EXPECT_EQ(units.Plan({7}, {.chunk_size = 10}), (Plans{{7, 7}}));
}

TEST(PlanPassages, PassagesThatTouchAreJoinedWhereTheyFit) {
  EXPECT_EQ(Units({20}).Plan({10, 11}, {.chunk_size = 20, .recall_tokens = 20}), (Plans{{10, 11}}));
  EXPECT_EQ(Units({20}).Plan({10, 11}, {.chunk_size = 10, .recall_tokens = 20}),
            (Plans{{10, 10}, {11, 11}}));
}

TEST(PlanPassages, AUnitLargerThanAPassageIsWholeAndTheFirstIsCutToWhatAllMayHave) {
  const Units units({3}, 50);
  EXPECT_EQ(units.Plan({1, 0}, {.chunk_size = 20, .recall_tokens = 100}), (Plans{{0, 0}, {1, 1}}));
  EXPECT_EQ(units.Plan({1, 0}, {.chunk_size = 20, .recall_tokens = 90}), (Plans{{1, 1}}));
  const std::vector<Hit> hits = {{1, 0.5f, 0, 0.5f, 0}};
  const auto plans = PlanPassages(hits, units.units, {.chunk_size = 20, .recall_tokens = 30});
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0].span.size(), 30);
}

RC_GTEST_PROP(PlanPassages, AreDisjointInOrderAndWithinTheirLimits, ()) {
  const auto runs = *rc::gen::container<std::vector<int>>(8, rc::gen::inRange(1, 9));
  Units units(runs, *rc::gen::inRange(1, 30));
  const auto n = static_cast<int64_t>(units.rows.size());
  const auto list = *rc::gen::container<std::vector<int64_t>>(rc::gen::inRange<int64_t>(0, n));
  const auto forbidden = *rc::gen::container<std::set<int64_t>>(rc::gen::inRange<int64_t>(0, n));
  units.unfinished = *rc::gen::container<std::set<int64_t>>(rc::gen::inRange<int64_t>(0, n));
  units.units.allowed = [&](int64_t i) { return !forbidden.contains(i); };
  std::vector<Hit> hits;
  for (const int64_t unit : list) {
    if (!forbidden.contains(unit)) hits.push_back({unit, 0.5f, 0, 0.5f, 0});
  }
  const PassageLimits limits = {*rc::gen::inRange(1, 120), *rc::gen::inRange(1, 400)};
  int64_t tokens = 0, last = -1;
  for (const PassagePlan& plan : PlanPassages(hits, units.units, limits)) {
    RC_ASSERT(plan.first > last);
    last = plan.last;
    RC_ASSERT(plan.span.size() > 0);
    RC_ASSERT(plan.first == plan.last || plan.span.size() <= limits.chunk_size);
    tokens += plan.span.size();
    for (int64_t i = plan.first; i <= plan.last; ++i) RC_ASSERT(!forbidden.contains(i));
  }
  RC_ASSERT(tokens <= limits.recall_tokens);
  RC_ASSERT(hits.empty() == (last < 0));
}

}  // namespace
}  // namespace anabranch
