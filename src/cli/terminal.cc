#include "cli/terminal.h"

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cerrno>
#include <utility>

namespace anabranch::cli {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};
// Shorter work than this shows no progress: a line that only flickers tells nothing.
constexpr std::chrono::milliseconds kProgressDelay{300};

}  // namespace

std::string WithThousands(int64_t value) {
  std::string digits = fmt::format("{}", value);
  const ptrdiff_t first = value < 0 ? 1 : 0;
  for (auto at = static_cast<ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<size_t>(at), 1, ',');
  }
  return digits;
}

std::string FormatBytes(int64_t bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  const bool short_form = unit == 0 || value >= 100;
  return fmt::format("{:.{}f} {}", value, short_form ? 0 : 1, units[unit]);
}

std::string FormatProgress(const Progress& progress, std::chrono::milliseconds elapsed) {
  std::string line = fmt::format("{}  {}", progress.stage, WithThousands(progress.done));
  if (progress.total > 0) {
    line += fmt::format(" of {}  ({} %)", WithThousands(progress.total),
                        100 * progress.done / progress.total);
  }
  const double seconds = static_cast<double>(elapsed.count()) / 1000;
  if (seconds <= 0 || progress.done <= 0) return line;
  const double rate = static_cast<double>(progress.done) / seconds;
  line += fmt::format("  {}/s", WithThousands(static_cast<int64_t>(rate)));
  if (progress.total > progress.done) {
    const auto left =
        static_cast<int64_t>(static_cast<double>(progress.total - progress.done) / rate);
    line += fmt::format("  {}:{:02} left", left / 60, left % 60);
  }
  return line;
}

// Where the logger's lines go: stderr, after the progress line has made room.
class Terminal::LineSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit LineSink(Terminal* terminal) : terminal_(terminal) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    terminal_->ClearProgress();
    std::fwrite(message.payload.data(), 1, message.payload.size(), terminal_->err_);
    std::fputc('\n', terminal_->err_);
  }
  void flush_() override { std::fflush(terminal_->err_); }

  Terminal* terminal_;
};

Terminal::Terminal(std::FILE* out, std::FILE* err, const TerminalStyle& style,
                   std::atomic<bool>* cancel)
    : out_(out),
      err_(err),
      style_(style),
      cancel_(cancel),
      lines_(std::make_unique<spdlog::logger>("anabranch", std::make_shared<LineSink>(this))) {
  lines_->flush_on(spdlog::level::trace);
}

Terminal::~Terminal() { ClearProgress(); }

void Terminal::SetVerbosity(Verbosity verbosity) {
  verbosity_ = verbosity;
  lines_->set_level(verbosity == Verbosity::kQuiet    ? spdlog::level::err
                    : verbosity == Verbosity::kNormal ? spdlog::level::info
                                                      : spdlog::level::debug);
}

void Terminal::Out(std::string_view text) {
  if (out_errno_ != 0) return;
  ClearProgress();
  errno = 0;
  const bool written =
      std::fwrite(text.data(), 1, text.size(), out_) == text.size() && std::fflush(out_) == 0;
  if (written) return;
  out_errno_ = errno != 0 ? errno : EIO;
  *cancel_ = true;
}

void Terminal::Fault(std::string_view line) {
  const bool color = style_.err_is_terminal && style_.escapes && style_.color;
  lines_->error("{}anabranch:{} {}", color ? "\033[1;31m" : "", color ? "\033[0m" : "", line);
}

void Terminal::Note(std::string_view line) { lines_->info("{}", line); }

void Terminal::Detail(std::string_view line) { lines_->debug("{}", line); }

std::string Terminal::Dim(std::string_view text) const {
  if (!style_.err_is_terminal || !style_.escapes || !style_.color) return std::string(text);
  return fmt::format("\033[2m{}\033[0m", text);
}

void Terminal::ShowProgress(const Progress& progress) {
  if (!style_.err_is_terminal || !style_.escapes || verbosity_ == Verbosity::kQuiet) return;
  const Clock::time_point now = Clock::now();
  if (progress_stage_ != progress.stage || progress.done < progress_done_) {
    progress_stage_ = progress.stage;
    progress_begin_ = now;
    progress_last_ = now + kProgressDelay - kProgressInterval;
  }
  progress_done_ = progress.done;
  if (now - progress_last_ < kProgressInterval) return;
  progress_last_ = now;
  progress_shown_ = true;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - progress_begin_);
  fmt::print(err_, "\r\033[K{}", FormatProgress(progress, elapsed));
  std::fflush(err_);
}

void Terminal::ClearProgress() {
  if (!std::exchange(progress_shown_, false)) return;
  std::fputs("\r\033[K", err_);
  std::fflush(err_);
}

}  // namespace anabranch::cli
