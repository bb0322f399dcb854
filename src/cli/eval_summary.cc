#include "cli/eval_summary.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "cli/spread.h"

namespace anabranch::cli {
namespace {

struct Measure {
  std::string name;
  std::function<bool(const RecallCase&)> counts, hits;
};

bool HasTrait(const RecallCase& ran, const std::string& trait) {
  return std::find(ran.traits.begin(), ran.traits.end(), trait) != ran.traits.end();
}

std::vector<Measure> Measures() {
  const auto answered = [](const RecallCase& ran) { return ran.answered(); };
  const auto recalled = [](const RecallCase& ran) { return ran.recalled; };
  std::vector<Measure> measures = {
      {"answer", [](const RecallCase& ran) { return !ran.held.empty(); }, answered}};
  for (const std::string kind : {"own", "other", "follow_up"}) {
    measures.push_back(
        {"answer " + kind, [kind](const RecallCase& ran) { return ran.kind == kind; }, answered});
  }
  for (const std::string trait : {"by_user", "by_assistant", "two_sentences", "corrected",
                                  "answered_wrongly", "asked_before"}) {
    measures.push_back(
        {"answer " + trait,
         [trait](const RecallCase& ran) { return !ran.held.empty() && HasTrait(ran, trait); },
         answered});
  }
  measures.push_back({"both corrected", [](const RecallCase& ran) { return ran.held.size() > 1; },
                      [](const RecallCase& ran) {
                        return ran.in_order && std::all_of(ran.held.begin(), ran.held.end(),
                                                           [](bool held) { return held; });
                      }});
  for (const std::string kind : {"greeting", "small_talk", "unanswerable"}) {
    measures.push_back(
        {"recall " + kind, [kind](const RecallCase& ran) { return ran.kind == kind; }, recalled});
  }
  return measures;
}

SummaryRow Row(const Measure& measure, std::span<const RecallCase* const> cases) {
  SummaryRow row;
  row.measure = measure.name;
  std::vector<double> ms;
  for (const RecallCase* ran : cases) {
    if (!measure.counts(*ran)) continue;
    ++row.share.n;
    row.share.hits += measure.hits(*ran) ? 1 : 0;
    row.passages += static_cast<double>(ran->passages);
    row.tokens += static_cast<double>(ran->tokens);
    ms.push_back(ran->ms);
  }
  if (row.share.n == 0) return row;
  row.passages /= static_cast<double>(row.share.n);
  row.tokens /= static_cast<double>(row.share.n);
  std::sort(ms.begin(), ms.end());
  row.ms_p50 = Quantile(ms, 0.5);
  row.ms_p99 = Quantile(ms, 0.99);
  return row;
}

// The ends of Wilson's interval: sign -1 or 1.
double Wilson(const Share& share, double sign) {
  constexpr double kZ = 1.959964;  // of 95 %
  if (share.n == 0) return sign < 0 ? 0 : 1;
  const auto n = static_cast<double>(share.n);
  const double p = share.value();
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  return std::clamp((p + kZ * kZ / (2 * n) + sign * half) / (1 + kZ * kZ / n), 0.0, 1.0);
}

}  // namespace

double Share::low() const { return Wilson(*this, -1); }
double Share::high() const { return Wilson(*this, 1); }

std::vector<SummaryRow> Summarise(std::span<const RecallCase> cases) {
  struct Group {
    std::string arm;
    int32_t budget = 0;
    std::vector<const RecallCase*> cases;
  };
  std::vector<Group> groups;
  for (const RecallCase& ran : cases) {
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
      return g.arm == ran.arm && g.budget == ran.budget;
    });
    if (group == groups.end()) group = groups.insert(group, {ran.arm, ran.budget, {}});
    group->cases.push_back(&ran);
  }
  std::vector<SummaryRow> rows;
  for (const Group& group : groups) {
    for (const Measure& measure : Measures()) {
      SummaryRow row = Row(measure, group.cases);
      if (row.share.n == 0) continue;
      row.arm = group.arm;
      row.budget = group.budget;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace anabranch::cli
