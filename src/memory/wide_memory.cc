#include "memory/wide_memory.h"

#include <algorithm>
#include <tuple>

namespace anabranch {
namespace {

// Which of two recalls speaks for both, the larger one.
std::tuple<int, float> Standing(const RecallResult& result) {
  const int decided = result.decision == RecallDecision::kUsed             ? 2
                      : result.decision == RecallDecision::kBelowThreshold ? 1
                                                                           : 0;
  return {decided, result.best_score - result.threshold};
}

struct Found {
  float margin = 0;  // above the threshold of its stream
  size_t place = 0;  // in what is handed over
  Passage passage;
};

}  // namespace

RecallResult MergeRecalls(std::vector<RecallResult> results, int32_t recall_tokens) {
  std::vector<Found> found;
  const auto take = [&found](RecallResult& result) {
    for (Passage& passage : result.passages) {
      found.push_back({passage.score - result.threshold, found.size(), std::move(passage)});
    }
  };
  std::for_each(results.begin() + 1, results.end(), take);
  take(results.front());
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.margin > b.margin; });
  int64_t tokens = 0;
  std::erase_if(found, [&](const Found& f) {
    const bool fits = tokens + f.passage.span.size() <= recall_tokens;
    tokens += fits ? f.passage.span.size() : 0;
    return !fits;
  });
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.place < b.place; });

  const auto best = std::max_element(
      results.begin(), results.end(),
      [](const RecallResult& a, const RecallResult& b) { return Standing(a) < Standing(b); });
  RecallResult merged = std::move(*best);
  if (best != results.begin()) {
    merged.queries = std::move(results.front().queries);
    merged.fault = std::move(results.front().fault);
  }
  merged.passages.clear();
  for (Found& f : found) merged.passages.push_back(std::move(f.passage));
  return merged;
}

Result<RecallResult> WideMemory::Recall(const RecallQuery& query) {
  std::vector<RecallResult> results(1);
  ASSIGN_OR_RETURN(results[0], own_->Recall(query));
  if (query.mode == RecallMode::kNever) return std::move(results[0]);
  RecallQuery elsewhere = query;
  elsewhere.mode = RecallMode::kAlways;
  elsewhere.exclude = {};
  elsewhere.continues = true;
  std::string faults;
  double ms = results[0].ms;
  for (const auto& other : others_) {
    Result<RecallResult> result = other->Recall(elsewhere);
    const std::string fault = result ? result->fault : result.error().Message();
    if (!fault.empty()) faults += "; stream '" + other->name() + "': " + fault;
    if (!result) continue;
    ms += result->ms;
    results.push_back(*std::move(result));
  }
  RecallResult merged = MergeRecalls(std::move(results), query.recall_tokens);
  merged.ms = ms;
  merged.fault += faults.substr(merged.fault.empty() && !faults.empty() ? 2 : 0);
  return merged;
}

Result<std::unique_ptr<StreamMemory>> WideMemory::Fork() {
  ASSIGN_OR_RETURN(std::unique_ptr<StreamMemory> fork, own_->Fork());
  return std::make_unique<WideMemory>(std::move(fork), others_);
}

}  // namespace anabranch
