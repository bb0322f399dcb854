// stdout, stderr, and what may be written to them: answers go to stdout, everything else to stderr;
// no escape code unless that stream is a terminal.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "anabranch/stream.h"

namespace spdlog {
class logger;
}

namespace anabranch::cli {

enum class Verbosity { kQuiet, kNormal, kVerbose };

struct TerminalStyle {
  bool out_is_terminal = false, err_is_terminal = false;
  bool escapes = true;  // false: TERM=dumb
  bool color = true;    // false: NO_COLOR
};

// "read  1,200 of 6,000  (20 %)  410/s  0:11 left"
std::string FormatProgress(const Progress& progress, std::chrono::milliseconds elapsed);
// 12345678 as "12,345,678".
std::string WithThousands(int64_t value);
// 96123456 as "96.1 MB".
std::string FormatBytes(int64_t bytes);

// Threads: one.
class Terminal {
 public:
  // `cancel` is set when stdout turns out to be closed; the files are borrowed.
  Terminal(std::FILE* out, std::FILE* err, const TerminalStyle& style, std::atomic<bool>* cancel);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void SetVerbosity(Verbosity verbosity);
  const TerminalStyle& style() const { return style_; }

  // Writes to stdout and flushes. After a failure nothing more is written.
  void Out(std::string_view text);
  // 0, or the errno with which stdout failed.
  int out_errno() const { return out_errno_; }

  // Lines on stderr: with any verbosity; unless quiet; with --verbose.
  void Fault(std::string_view line);
  void Note(std::string_view line);
  void Detail(std::string_view line);
  // `text` as it looks on stderr: dim, where it can be.
  std::string Dim(std::string_view text) const;

  // Shows work in progress on one line of stderr, when that is a terminal; at most ten times a
  // second. Any other output removes the line.
  void ShowProgress(const Progress& progress);
  void ClearProgress();

 private:
  class LineSink;
  using Clock = std::chrono::steady_clock;

  std::FILE* out_;
  std::FILE* err_;
  TerminalStyle style_;
  std::atomic<bool>* cancel_;
  Verbosity verbosity_ = Verbosity::kNormal;
  int out_errno_ = 0;
  std::unique_ptr<spdlog::logger> lines_;

  bool progress_shown_ = false;
  std::string progress_stage_;
  int64_t progress_done_ = 0;
  Clock::time_point progress_begin_, progress_last_;
};

}  // namespace anabranch::cli
