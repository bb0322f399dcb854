#include "kv/kv_context.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "kv/list_context.h"

namespace anabranch {
namespace {

// A context, the list that it must equal, and an arena that holds row numbers instead of keys.
class Checked {
 public:
  explicit Checked(const KvSizes& sizes)
      : kv(sizes),
        list_(sizes.n_pinned, sizes.recent_size, sizes.first.value()),
        plan_(sizes.max_batch, KvContext::kMaxBands, KvContext::kMaxSegments),
        arena_(static_cast<size_t>(KvContext::Slots(sizes)), -1) {}

  void Stream(int32_t n) {
    kv.PlanStream(n, &plan_);
    Check(n, [this] { return list_.AddStream(); });
    kv.CommitStream(n);
  }
  void Recall(int32_t n) {
    kv.PlanRecalled(n, &plan_);
    Check(n, [this] { return list_.AddRecalled(); });
    kv.CommitRecalled(n);
  }
  void Open() {
    kv.OpenRecalled();
    list_.Split();
  }
  void Retract() {
    kv.Retract();
    list_.Retract();
  }

  KvContext kv;

 private:
  // What the plan lets a row see: row number of each key, and its distance in the virtual order.
  std::map<int64_t, int64_t> Seen(int32_t r) {
    std::map<int64_t, int64_t> seen;
    for (const Segment& segment : plan_.segments) {
      RC_ASSERT(segment.n > 0);
      const BandRow& band = plan_.At(segment.band, r);
      const int64_t p = segment.base + band.delta - segment.offset;
      for (int32_t i = 0; i < segment.n; ++i) {
        const int64_t stored = segment.base + i;
        if (stored < band.lo || stored >= band.hi) continue;
        const int64_t row = arena_[static_cast<size_t>(segment.slot + i)];
        RC_ASSERT(seen.emplace(row, p - stored).second);
      }
    }
    return seen;
  }

  template <typename Add>
  void Check(int32_t n, Add add) {
    RC_ASSERT(plan_.rows == n);
    const size_t capacity = plan_.segments.capacity();
    std::vector<std::vector<ListEntry>> want;
    for (int32_t r = 0; r < n; ++r) {
      want.push_back(add());
      const ListEntry& own = want.back()[FindOwn(want.back())];
      RC_ASSERT(plan_.stored_pos[static_cast<size_t>(r)] == own.stored);
      arena_.at(static_cast<size_t>(plan_.slots[static_cast<size_t>(r)])) = own.row;
    }
    // All rows are stored before any attends, so a row must not see what a later one overwrites.
    for (int32_t r = 0; r < n; ++r) {
      const std::vector<ListEntry>& list = want[static_cast<size_t>(r)];
      const auto v = static_cast<int64_t>(FindOwn(list));
      const auto n_stream = static_cast<int64_t>(list.size() - list_.n_recalled());
      RC_ASSERT(n_stream <= kv.sizes().n_pinned + kv.sizes().recent_size);
      std::map<int64_t, int64_t> distances;
      for (size_t i = 0; i <= static_cast<size_t>(v); ++i) {
        distances[list[i].row] = v - static_cast<int64_t>(i);
      }
      RC_ASSERT(Seen(r) == distances);
    }
    RC_ASSERT(plan_.segments.capacity() == capacity);
    kv.CheckInvariants();
  }

  // The newest entry is the row's own, and the last in the virtual order.
  static size_t FindOwn(const std::vector<ListEntry>& list) {
    const auto own = std::max_element(list.begin(), list.end(),
                                      [](const auto& a, const auto& b) { return a.row < b.row; });
    RC_ASSERT(own + 1 == list.end());
    return list.size() - 1;
  }

  ListContext list_;
  StepPlan plan_;
  std::vector<int64_t> arena_;
};

int64_t Pick(int64_t low, int64_t high) { return *rc::gen::inRange<int64_t>(low, high + 1); }

KvSizes RandomSizes() {
  KvSizes sizes;
  sizes.n_pinned = Pick(0, 9);
  sizes.recent_size = *rc::gen::element<int64_t>(1, 2, 7, 40, 100);
  sizes.max_batch = static_cast<int32_t>(Pick(1, 70));
  sizes.recall_slots = Pick(0, 30);
  sizes.first = StreamPos(*rc::gen::element<int64_t>(0, int64_t{1} << 40));
  return sizes;
}

void ReadStream(Checked& checked, int64_t n) {
  while (n > 0) {
    const int64_t batch = Pick(1, std::min<int64_t>(n, checked.kv.sizes().max_batch));
    checked.Stream(static_cast<int32_t>(batch));
    n -= batch;
  }
}

void RecallText(Checked& checked) {
  checked.Open();
  int64_t n = Pick(0, checked.kv.sizes().recall_slots);
  while (n > 0) {
    const int64_t batch = Pick(1, std::min<int64_t>(n, checked.kv.sizes().max_batch));
    checked.Recall(static_cast<int32_t>(batch));
    n -= batch;
  }
}

RC_GTEST_PROP(KvContext, SeesWhatAListOfEntriesHolds, ()) {
  const KvSizes sizes = RandomSizes();
  Checked checked(sizes);
  // The pinned part, the moment at which the window fills, and a few laps of the ring.
  ReadStream(checked, sizes.n_pinned + Pick(0, sizes.recent_size * 2 + 300));
  for (int64_t turn = Pick(0, 6); turn > 0; --turn) {
    RecallText(checked);
    // Shorter than the window, or longer: then history is empty.
    ReadStream(checked, Pick(0, sizes.recent_size + 80));
    checked.Retract();
    ReadStream(checked, Pick(0, 20));
  }
}

RC_GTEST_PROP(KvContext, PlansWithoutCommitChangeNothing, ()) {
  const KvSizes sizes = RandomSizes();
  Checked checked(sizes);
  ReadStream(checked, sizes.n_pinned + Pick(0, 200));
  StepPlan plan(sizes.max_batch, KvContext::kMaxBands, KvContext::kMaxSegments);
  checked.kv.PlanStream(sizes.max_batch, &plan);
  if (sizes.recall_slots > 0) {
    checked.Open();
    checked.kv.PlanRecalled(1, &plan);
    checked.Retract();
  }
  ReadStream(checked, 50);
}

bool SamePlan(const KvContext& a, const KvContext& b, int32_t n) {
  auto bytes = [n](const KvContext& kv) {
    StepPlan plan(kv.sizes().max_batch, KvContext::kMaxBands, KvContext::kMaxSegments);
    kv.PlanStream(n, &plan);
    std::vector<int64_t> all = {plan.rows, plan.n_bands};
    for (const Segment& s : plan.segments) {
      all.insert(all.end(), {s.base, s.slot, s.n, s.offset, s.band});
    }
    for (int32_t band = 0; band < plan.n_bands; ++band) {
      for (int32_t r = 0; r < n; ++r) {
        const BandRow& row = plan.At(band, r);
        all.insert(all.end(), {row.delta, row.lo, row.hi});
      }
    }
    return all;
  };
  return bytes(a) == bytes(b);
}

RC_GTEST_PROP(KvContext, RetractLeavesThePlansOfAStreamThatNeverRecalled, ()) {
  KvSizes sizes = RandomSizes();
  sizes.recall_slots = 30;
  Checked checked(sizes), never(sizes);
  const int64_t n = sizes.n_pinned + Pick(0, 200);
  ReadStream(checked, n);
  ReadStream(never, n);
  RecallText(checked);
  const int64_t turn = Pick(0, 150);
  ReadStream(checked, turn);
  ReadStream(never, turn);
  checked.Retract();
  RC_ASSERT(SamePlan(checked.kv, never.kv, sizes.max_batch));
}

RC_GTEST_PROP(KvContext, ACopyGoesItsOwnWay, ()) {
  KvSizes sizes = RandomSizes();
  sizes.recall_slots = 30;
  Checked checked(sizes);
  ReadStream(checked, sizes.n_pinned + Pick(0, 200));
  Checked fork = checked;
  RecallText(fork);
  ReadStream(fork, Pick(0, 150));
  ReadStream(checked, Pick(0, 150));
  RecallText(checked);
  ReadStream(fork, 20);
  fork.Retract();
  ReadStream(checked, 20);
  ReadStream(fork, 20);
}

TEST(KvContext, WindowBeginsWhereTheLastRowSees) {
  KvContext kv({.n_pinned = 4, .recent_size = 10, .max_batch = 20, .first = StreamPos(100)});
  EXPECT_EQ(kv.window_begin(), StreamPos(100));
  kv.CommitStream(3);
  EXPECT_EQ(kv.pinned_end(), StreamPos(103));
  EXPECT_EQ(kv.window_begin(), StreamPos(103));
  kv.CommitStream(11);
  EXPECT_EQ(kv.pinned_end(), StreamPos(104));
  EXPECT_EQ(kv.window_begin(), StreamPos(104));
  kv.CommitStream(20);
  EXPECT_EQ(kv.window_begin(), StreamPos(124));
}

TEST(KvContextDeathTest, RecalledTextNeverStandsBelowThePinnedPart) {
  KvContext kv({.n_pinned = 4, .recent_size = 10, .max_batch = 20, .recall_slots = 5});
  kv.CommitStream(3);
  EXPECT_DEATH(kv.OpenRecalled(), "pinned_limit");
}

}  // namespace
}  // namespace anabranch
