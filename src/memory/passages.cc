#include "memory/passages.h"

#include <algorithm>
#include <set>

namespace anabranch {
namespace {

// How far beyond a border a unit of the same role is looked for: an answer may stand between.
constexpr int64_t kReach = 64;

class Planner {
 public:
  Planner(const PassageUnits& units, const PassageLimits& limits)
      : units_(units), limits_(limits), left_(limits.recall_tokens) {}

  void Take(const Hit& hit) {
    if (left_ <= 0 || claimed_.contains(hit.unit)) return;
    const UnitRow& row = units_.row(hit.unit);
    PassagePlan plan = {hit.unit, hit.unit, hit, row.span};
    if (row.span.size() > left_) {
      if (!plans_.empty()) return;
      plan.span.end = row.span.begin + left_;
    }
    claimed_.insert(hit.unit);
    if (limits_.neighbours) Grow(std::min<int64_t>(limits_.chunk_size, left_), &plan);
    Keep(plan);
    if (!limits_.unfinished) return;
    BringAlong(hit, -1);
    BringAlong(hit, +1);
  }

  std::vector<PassagePlan> Finish() {
    std::sort(plans_.begin(), plans_.end(),
              [](const PassagePlan& a, const PassagePlan& b) { return a.first < b.first; });
    std::vector<PassagePlan> joined;
    for (const PassagePlan& plan : plans_) {
      if (!joined.empty() && Joins(joined.back(), plan)) {
        PassagePlan& before = joined.back();
        before.last = plan.last;
        before.span.end = plan.span.end;
        if (plan.hit.score > before.hit.score) before.hit = plan.hit;
      } else {
        joined.push_back(plan);
      }
    }
    return joined;
  }

 private:
  bool IsFree(int64_t unit) const {
    return unit >= 0 && unit < units_.size && !claimed_.contains(unit) && units_.allowed(unit) &&
           !units_.row(unit).question;
  }

  void Grow(int64_t limit, PassagePlan* plan) {
    bool behind = true, before = true;
    while (behind || before) {
      if (behind) {
        behind = IsFree(plan->last + 1) &&
                 SameRun(units_.row(plan->last), units_.row(plan->last + 1)) &&
                 units_.row(plan->last + 1).span.end - plan->span.begin <= limit;
        if (behind) {
          claimed_.insert(++plan->last);
          plan->span.end = units_.row(plan->last).span.end;
        }
      }
      if (before) {
        before = IsFree(plan->first - 1) &&
                 SameRun(units_.row(plan->first - 1), units_.row(plan->first)) &&
                 plan->span.end - units_.row(plan->first - 1).span.begin <= limit;
        if (before) {
          claimed_.insert(--plan->first);
          plan->span.begin = units_.row(plan->first).span.begin;
        }
      }
    }
  }

  void Keep(const PassagePlan& plan) {
    left_ -= plan.span.size();
    plans_.push_back(plan);
  }

  // The unit of the same role beyond the border of the run, if the hit stands at that border and
  // the earlier of the two ends within a sentence.
  void BringAlong(const Hit& hit, int64_t step) {
    const UnitRow& row = units_.row(hit.unit);
    const auto ordered = [&](int64_t a, int64_t b) {
      return SameRun(units_.row(std::min(a, b)), units_.row(std::max(a, b)));
    };
    int64_t unit = hit.unit + step;
    if (unit < 0 || unit >= units_.size || ordered(hit.unit, unit)) return;
    for (int64_t n = 0; n < kReach && unit >= 0 && unit < units_.size; ++n, unit += step) {
      const UnitRow& other = units_.row(unit);
      if (other.role != row.role) continue;
      if (!units_.unfinished(std::min(hit.unit, unit))) return;
      if (IsFree(unit) && other.span.size() <= left_) {
        claimed_.insert(unit);
        Keep({unit, unit, {unit, hit.cosine, hit.lexical, hit.score, hit.fused}, other.span});
      }
      return;
    }
  }

  bool Joins(const PassagePlan& a, const PassagePlan& b) const {
    return a.last + 1 == b.first && SameRun(units_.row(a.last), units_.row(b.first)) &&
           a.span.end == units_.row(a.last).span.end &&
           b.span.end - a.span.begin <= limits_.chunk_size;
  }

  const PassageUnits& units_;
  const PassageLimits limits_;
  int64_t left_;
  std::set<int64_t> claimed_;
  std::vector<PassagePlan> plans_;
};

}  // namespace

std::vector<PassagePlan> PlanPassages(std::span<const Hit> hits, const PassageUnits& units,
                                      const PassageLimits& limits) {
  Planner planner(units, limits);
  for (const Hit& hit : hits) planner.Take(hit);
  return planner.Finish();
}

}  // namespace anabranch
