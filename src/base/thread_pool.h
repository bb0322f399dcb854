// A fixed set of threads that run the tasks of one parallel loop at a time.
//
// Work is claimed task by task from an atomic counter, so a descheduled thread holds back one task
// and not its share. The caller works too: a pool of 1 has no thread of its own. A waiter spins for
// some 20 µs, then sleeps on a futex (std::atomic::wait): a spinning pool beside a busy process
// would cost more than it saves.
//
// Invariants: between two calls of Run no task is running; Run is called by one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace anabranch {

class ThreadPool {
 public:
  // fn(arg, task, thread): task in [0, n_tasks), thread in [0, size()).
  using TaskFn = void (*)(void* arg, int64_t task, int thread);

  // n_threads is clamped to [1, CPUs this process may use], and to what the system grants.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Runs all tasks and returns when the last one has ended. Allocates nothing.
  void Run(int64_t n_tasks, TaskFn fn, void* arg);

  // CPUs in this process's affinity mask.
  static int AvailableCpus();

 private:
  void Work(int thread);
  void RunTasks(int thread);

  std::vector<std::thread> threads_;
  TaskFn fn_ = nullptr;
  void* arg_ = nullptr;
  int64_t n_tasks_ = 0;
  std::atomic<int64_t> next_task_{0};
  std::atomic<uint32_t> epoch_{0};  // one more for each Run
  std::atomic<uint32_t> n_working_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace anabranch
