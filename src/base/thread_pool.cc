#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <system_error>

namespace anabranch {
namespace {

// About 20 µs of pauses on the machines measured; longer spins cost more beside a busy process.
constexpr int kSpins = 600;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Returns when `value` no longer holds `old`: spins for a moment, then sleeps.
void WaitWhile(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    Pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

int ThreadPool::AvailableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

ThreadPool::ThreadPool(int n_threads) {
  n_threads = std::clamp(n_threads, 1, AvailableCpus());
  threads_.reserve(static_cast<size_t>(n_threads - 1));
  try {
    for (int i = 1; i < n_threads; ++i) threads_.emplace_back([this, i] { Work(i); });
  } catch (const std::system_error&) {
    // The system grants no more threads: those that there are do the work.
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::RunTasks(int thread) {
  for (;;) {
    const int64_t task = next_task_.fetch_add(1, std::memory_order_relaxed);
    if (task >= n_tasks_) return;
    fn_(arg_, task, thread);
  }
}

void ThreadPool::Work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    WaitWhile(epoch_, seen);
    ++seen;  // Run waits for every thread, so epochs are never skipped
    if (stop_.load(std::memory_order_relaxed)) return;
    RunTasks(thread);
    if (n_working_.fetch_sub(1, std::memory_order_acq_rel) == 1) n_working_.notify_one();
  }
}

void ThreadPool::Run(int64_t n_tasks, TaskFn fn, void* arg) {
  if (threads_.empty() || n_tasks <= 1) {
    for (int64_t task = 0; task < n_tasks; ++task) fn(arg, task, 0);
    return;
  }
  fn_ = fn;
  arg_ = arg;
  n_tasks_ = n_tasks;
  next_task_.store(0, std::memory_order_relaxed);
  n_working_.store(static_cast<uint32_t>(threads_.size()), std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  RunTasks(0);
  for (uint32_t n; (n = n_working_.load(std::memory_order_acquire)) != 0;) WaitWhile(n_working_, n);
}

}  // namespace anabranch
