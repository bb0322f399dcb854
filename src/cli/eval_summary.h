// What the cases of an evaluation come to: shares with their intervals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "anabranch/evaluation.h"

namespace anabranch::cli {

// A share of n cases with its Wilson interval at 95 %.
struct Share {
  int64_t n = 0, hits = 0;
  double value() const { return n == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(n); }
  double low() const;
  double high() const;
};

struct SummaryRow {
  std::string arm;
  int32_t budget = 0;
  std::string measure;  // see Summarise
  Share share;
  double passages = 0, tokens = 0;  // mean, of all cases of the row
  double ms_p50 = 0, ms_p99 = 0;
};

// Rows of each arm and budget, in the order in which they come, over all conversations:
// "answer" (all questions that have one), "answer own", "answer other", "answer follow_up", and of
// traits "answer two_sentences", …; "both corrected": old and new are held, in order; "recall
// greeting", "recall small_talk", "recall unanswerable": something was handed over for nothing.
// No row without cases.
std::vector<SummaryRow> Summarise(std::span<const RecallCase> cases);

}  // namespace anabranch::cli
