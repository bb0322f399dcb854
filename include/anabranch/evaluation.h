// How well recall finds what a long conversation said: for `anabranch eval recall`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "anabranch/result.h"
#include "anabranch/stream.h"

namespace anabranch {

// One question, asked in one way, with room for so many tokens.
struct RecallCase {
  std::string conversation, arm;
  int32_t budget = 0;  // tokens of all passages at most
  std::string id, kind;
  std::vector<std::string> traits;  // of the fact that is asked for

  bool recalled = false;  // something was handed over
  int64_t passages = 0, tokens = 0;
  // Of each group of evidence, whether a passage holds all its texts; the last group is the answer
  // that holds now. Empty: there is nothing to find.
  std::vector<bool> held;
  bool in_order = true;  // what is held stands in the order in which it was said
  // What the decision saw: the best score, its cosine and its words, and what it had to reach.
  float score = 0, cosine = 0, words = 0, threshold = 0;
  double ms = 0;  // with the time that embedding the question took

  bool answered() const { return !held.empty() && held.back(); }
};

struct RecallEvaluationOptions {
  std::string embedder;                    // its folder
  std::string tokenizer;                   // a GGUF file: its tokens count the budgets
  std::vector<std::string> conversations;  // files of eval/make_conversations.py
  std::vector<std::string> arms;           // of RecallArms()
  std::vector<int32_t> budgets;
  int32_t n_threads = 0;  // 0: all CPUs that the process may use
  std::string kernels;
  // The case with nothing but its names and budget set: true if it is not to be run (again).
  std::function<bool(const RecallCase&)> is_done;
  std::function<Result<void>(const RecallCase&)> on_case;
  ProgressFn on_progress;
  const std::atomic<bool>* cancel = nullptr;
};

struct RecallArmInfo {
  std::string name, what;
};
// Ways to recall: "default", and others that differ from it in one choice.
std::vector<RecallArmInfo> RecallArms();

// Each conversation goes into a memory of its own, and its questions are asked of it in each way.
// Errors: a file that is no such conversation, an arm that is not there, kInterrupted.
Result<void> EvaluateRecall(const RecallEvaluationOptions& options);

}  // namespace anabranch
