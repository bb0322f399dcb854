// demo: reads a conversation once and asks its last question of three forks of the stream:
// streaming alone, recall of evicted text, recall of everything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/stream.h"
#include "cli/command_line.h"
#include "cli/context.h"

namespace anabranch::cli {

// One question asked of one fork.
struct ArmResult {
  std::string arm;
  Answer answer;
  bool found = false;              // the answer holds the expected text
  bool needle_in_context = false;  // so did what the model had before it
  StreamStats stats;               // of the fork, after the answer
  int64_t peak_rss_bytes = 0;      // of the process, so far
};

struct DemoReport {
  std::string case_name, question, expect;
  StreamPlan plan;
  StreamStats read;  // of the stream, before the question
  double read_ms = 0;
  std::optional<StreamSpan> needle;  // the expected text in the stream, to a few tokens
  std::vector<ArmResult> arms;
  std::optional<std::string> small_talk;
  std::optional<ArmResult> small_talk_arm;
};

inline constexpr int kDemoColumns = 100;

void AddDemoCommand(CommandLine& line);

// For people: the stream to scale, the answers, what was recalled, a table. `width`: columns.
std::string DescribeDemo(const DemoReport& report, int width);
// For programs: one object a line.
std::string DemoJsonLines(const DemoReport& report);

// True if `text` holds `expected`, but for case and white space.
bool HoldsText(std::string_view text, std::string_view expected);

}  // namespace anabranch::cli
