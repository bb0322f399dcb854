#include "cli/terminal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace anabranch::cli {
namespace {

using namespace std::chrono_literals;

// What was written to a file that is read back.
class Captured {
 public:
  Captured() : file_(std::tmpfile()) {}
  ~Captured() { std::fclose(file_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  std::FILE* file() const { return file_; }
  std::string Text() const {
    std::fflush(file_);
    std::string text(static_cast<size_t>(std::ftell(file_)), '\0');
    std::rewind(file_);
    EXPECT_EQ(std::fread(text.data(), 1, text.size(), file_), text.size());
    return text;
  }

 private:
  std::FILE* file_;
};

TEST(TerminalTest, NumbersAreEasyToRead) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-1234567), "-1,234,567");
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1234), "1.2 kB");
  EXPECT_EQ(FormatBytes(96'512'345), "96.5 MB");
  EXPECT_EQ(FormatBytes(999'999), "1.0 MB");
  EXPECT_EQ(FormatBytes(213'000'000'000), "213 GB");
}

TEST(TerminalTest, ProgressShowsRateAndTimeLeft) {
  EXPECT_EQ(FormatProgress({.stage = "read", .done = 1200, .total = 6000}, 3s),
            "read  1,200 of 6,000  (20 %)  400/s  0:12 left");
  EXPECT_EQ(FormatProgress({.stage = "read", .done = 1000, .total = 100'000}, 1s),
            "read  1,000 of 100,000  (1 %)  1,000/s  1:39 left");
  EXPECT_EQ(FormatProgress({.stage = "index", .done = 50}, 500ms), "index  50  100/s");
  EXPECT_EQ(FormatProgress({.stage = "load model", .total = 10}, 0ms),
            "load model  0 of 10  (0 %)");
}

TEST(TerminalTest, NoEscapeCodeUnlessTheStreamIsATerminal) {
  const Captured out, err;
  std::atomic<bool> cancel{false};
  {
    Terminal terminal(out.file(), err.file(), {.escapes = true, .color = true}, &cancel);
    terminal.Out("answer");
    terminal.Fault("bad");
    terminal.Note(terminal.Dim("dim"));
    terminal.ShowProgress({.stage = "read", .done = 1, .total = 2});
    std::this_thread::sleep_for(350ms);
    terminal.ShowProgress({.stage = "read", .done = 2, .total = 2});
  }
  EXPECT_EQ(out.Text(), "answer");
  EXPECT_EQ(err.Text(), "anabranch: bad\ndim\n");
}

TEST(TerminalTest, NoColorIsHonoured) {
  const Captured out, err;
  std::atomic<bool> cancel{false};
  Terminal terminal(out.file(), err.file(), {.err_is_terminal = true, .color = false}, &cancel);
  terminal.Fault("bad");
  EXPECT_EQ(terminal.Dim("x"), "x");
  EXPECT_EQ(err.Text(), "anabranch: bad\n");
}

TEST(TerminalTest, OutputRemovesTheProgressLine) {
  const Captured out, err;
  std::atomic<bool> cancel{false};
  Terminal terminal(out.file(), err.file(), {.err_is_terminal = true}, &cancel);
  terminal.ShowProgress({.stage = "read", .done = 1, .total = 2});
  std::this_thread::sleep_for(350ms);
  terminal.ShowProgress({.stage = "read", .done = 2, .total = 2});
  terminal.Note("done");
  const std::string text = err.Text();
  EXPECT_EQ(text.rfind("\r\033[Kread", 0), 0u) << text;
  EXPECT_TRUE(text.ends_with("\r\033[Kdone\n")) << text;
}

TEST(TerminalTest, VerbosityChoosesWhatIsSaid) {
  const Captured out, err;
  std::atomic<bool> cancel{false};
  Terminal terminal(out.file(), err.file(), {}, &cancel);
  for (const Verbosity verbosity : {Verbosity::kQuiet, Verbosity::kNormal, Verbosity::kVerbose}) {
    terminal.SetVerbosity(verbosity);
    terminal.Fault("f");
    terminal.Note("n");
    terminal.Detail("d");
  }
  EXPECT_EQ(err.Text(), "anabranch: f\nanabranch: f\nn\nanabranch: f\nn\nd\n");
}

TEST(TerminalTest, AClosedPipeCancelsAndIsRemembered) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  std::FILE* const out = fdopen(ends[1], "w");
  const Captured err;
  std::atomic<bool> cancel{false};
  Terminal terminal(out, err.file(), {}, &cancel);
  EXPECT_EQ(terminal.out_errno(), 0);
  terminal.Out("nobody reads this");
  EXPECT_EQ(terminal.out_errno(), EPIPE);
  EXPECT_TRUE(cancel);
  EXPECT_EQ(err.Text(), "");
  std::fclose(out);
}

}  // namespace
}  // namespace anabranch::cli
