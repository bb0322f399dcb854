#include "cli/interrupt.h"

#include <signal.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "cli/context.h"

namespace anabranch::cli {
namespace {

constexpr int64_t kQuitWindowMs = 1000;

std::atomic<bool> cancel{false};
std::atomic<int64_t> last_interrupt_ms{-kQuitWindowMs - 1};
std::atomic<const char*> quit_text{nullptr};
termios saved_terminal;
bool have_saved_terminal = false;

static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int64_t>::is_always_lock_free &&
                  std::atomic<const char*>::is_always_lock_free,
              "a signal handler may use no locks");

// Calls only what is safe in a signal handler.
void OnInterrupt(int) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t now_ms = int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
  if (now_ms - last_interrupt_ms.exchange(now_ms) <= kQuitWindowMs) {
    if (have_saved_terminal) tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
    if (const char* text = quit_text; text != nullptr) {
      [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, text, strlen(text));
    }
    _exit(kExitInterrupted);
  }
  cancel = true;
}

}  // namespace

std::atomic<bool>& CancelFlag() { return cancel; }

void InstallInterrupt() {
  have_saved_terminal = tcgetattr(STDIN_FILENO, &saved_terminal) == 0;
  struct sigaction action {};
  action.sa_handler = OnInterrupt;  // no SA_RESTART: a read that waits for input must end
  sigaction(SIGINT, &action, nullptr);
}

void SetQuitText(const char* text) { quit_text = text; }

}  // namespace anabranch::cli
