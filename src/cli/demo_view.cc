#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "cli/demo.h"
#include "cli/json_output.h"
#include "cli/terminal.h"

namespace anabranch::cli {
namespace {

// Lower case, runs of white space as one space.
std::string Folded(std::string_view text) {
  std::string folded;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c))) {
      if (!folded.empty() && folded.back() != ' ') folded += ' ';
    } else {
      folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return folded;
}

// The first `width` bytes at most of a text on one line, cut between words.
std::string OneLine(std::string_view text, size_t width) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  if (line.size() <= width) return line;
  const size_t space = line.rfind(' ', width - 3);
  return line.substr(0, space == std::string::npos ? width - 3 : space) + "...";
}

// The passage from the sentence on that holds the expected text.
std::string Excerpt(const std::string& text, const std::string& expect, size_t width) {
  const size_t at = text.find(expect);
  const size_t stop = at == std::string::npos ? at : text.find_last_of(".!?\n", at);
  if (stop == std::string::npos) return OneLine(text, width);
  const size_t begin = text.find_first_not_of(" \n", stop + 1);
  return "... " + OneLine(std::string_view(text).substr(begin), width - 4);
}

// The stream to scale: pinned, evicted, window, and the needle on it.
std::string Bar(const DemoReport& report, size_t width) {
  const double end = static_cast<double>(std::max<int64_t>(1, report.read.next.value()));
  const auto column = [&](StreamPos pos) {
    const auto at =
        static_cast<size_t>(static_cast<double>(pos.value()) / end * static_cast<double>(width));
    return std::min(at, width - 1);
  };
  std::string bar(width, '.');
  std::fill(bar.begin() + static_cast<std::ptrdiff_t>(column(report.read.window_begin)), bar.end(),
            '#');
  std::fill(bar.begin(), bar.begin() + static_cast<std::ptrdiff_t>(column(report.read.pinned_end)),
            'S');
  bar[0] = 'S';
  if (report.needle) bar[column(report.needle->begin)] = 'N';
  return bar;
}

const char* YesNo(bool value) { return value ? "yes" : "no"; }

std::string TableRow(const ArmResult& arm) {
  const Answer& answer = arm.answer;
  return fmt::format(
      "{:<11}{:<7}{:<19}{:>7}{:>9}{:>10}{:>11.2f}{:>13}\n", arm.arm, YesNo(arm.found),
      YesNo(arm.needle_in_context), WithThousands(arm.stats.next.value()),
      WithThousands(arm.stats.evicted), WithThousands(answer.recalled_tokens),
      answer.decode_ms / static_cast<double>(std::max<int64_t>(1, answer.answer_tokens)),
      FormatBytes(arm.peak_rss_bytes));
}

std::string DescribeRecalled(const DemoReport& report, size_t width) {
  for (const ArmResult& arm : report.arms) {
    for (const Passage& passage : arm.answer.recall.passages) {
      if (!HoldsText(passage.text, report.expect)) continue;
      return fmt::format(
          "recalled   said by the {}, {} tokens ago; cosine {:.2f}, rare words {:.0f} %\n"
          "           \"{}\"\n",
          RoleName(passage.role), WithThousands(report.read.next - passage.span.begin),
          passage.score, 100 * passage.lexical, Excerpt(passage.text, report.expect, width));
    }
  }
  return "recalled   nothing that holds the needle\n";
}

OrderedJson ArmJson(const DemoReport& report, const ArmResult& arm, std::string_view user) {
  OrderedJson object = TurnJson(arm.answer, user);
  object["type"] = "arm";
  object["case"] = report.case_name;
  object["arm"] = arm.arm;
  object["found"] = arm.found;
  object["needle_in_context"] = arm.needle_in_context;
  object["ms"] = arm.answer.prefill_ms + arm.answer.decode_ms;
  return object;
}

}  // namespace

bool HoldsText(std::string_view text, std::string_view expected) {
  return Folded(text).find(Folded(expected)) != std::string::npos;
}

std::string DescribeDemo(const DemoReport& report, int width) {
  const size_t text_width = static_cast<size_t>(width) - 24;
  std::string out = fmt::format("\nstream     {}\n", Bar(report, text_width));
  out += fmt::format("           S: {} sinks, '.': evicted, #: window of {}", report.plan.n_pinned,
                     WithThousands(report.plan.recent_size));
  if (report.needle) {
    out += fmt::format(", N: the needle, {} tokens ago",
                       WithThousands(report.read.next - report.needle->begin));
  }
  out += fmt::format("\nquestion   {}\n", OneLine(report.question, text_width));
  for (const ArmResult& arm : report.arms) {
    out += fmt::format("{:<11}{:<11}{}\n", arm.arm, arm.found ? "found" : "not found",
                       OneLine(arm.answer.text, text_width));
  }
  out += DescribeRecalled(report, text_width + 11);
  if (report.small_talk_arm) {
    out += fmt::format(
        "small talk \"{}\" recalls {}\n", OneLine(*report.small_talk, text_width),
        report.small_talk_arm->answer.recall.passages.empty() ? "nothing" : "something");
  }
  out +=
      fmt::format("\n{:<11}{:<7}{:<19}{:>7}{:>9}{:>10}{:>11}{:>13}\n", "arm", "found",
                  "needle in context", "tokens", "evicted", "recalled", "ms/token", "peak memory");
  for (const ArmResult& arm : report.arms) out += TableRow(arm);
  out +=
      "\nThis is one needle: a demonstration, no benchmark. Try next:\n"
      "  build/release/bin/anabranch chat\n"
      "  cat book.txt | build/release/bin/anabranch run --enable-streaming --enable-retriever "
      "-p 'Who ...?'\n";
  return out;
}

std::string DemoJsonLines(const DemoReport& report) {
  std::string lines;
  for (const ArmResult& arm : report.arms) lines += JsonLine(ArmJson(report, arm, report.question));
  if (report.small_talk_arm) {
    lines += JsonLine(ArmJson(report, *report.small_talk_arm, *report.small_talk));
  }
  return lines;
}

}  // namespace anabranch::cli
