#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace anabranch {
namespace {

struct Counts {
  explicit Counts(size_t n) : done(n) {}
  std::vector<std::atomic<int>> done;
  std::atomic<int> max_thread{0};
};

void CountTask(void* arg, int64_t task, int thread) {
  auto* counts = static_cast<Counts*>(arg);
  counts->done[static_cast<size_t>(task)].fetch_add(1);
  int seen = counts->max_thread.load();
  while (thread > seen && !counts->max_thread.compare_exchange_weak(seen, thread)) {
  }
}

TEST(ThreadPool, RunsEveryTaskOfEveryLoopExactlyOnce) {
  for (const int n_threads : {1, 2, 4}) {
    ThreadPool pool(n_threads);
    for (int loop = 0; loop < 500; ++loop) {
      const size_t n = static_cast<size_t>(loop % 7);
      Counts counts(n);
      pool.Run(static_cast<int64_t>(n), &CountTask, &counts);
      for (const auto& done : counts.done) ASSERT_EQ(done.load(), 1);
      ASSERT_LT(counts.max_thread.load(), pool.size());
    }
  }
}

TEST(ThreadPool, WhatATaskWroteIsVisibleAfterRun) {
  ThreadPool pool(2);
  std::vector<int64_t> squares(10000);
  pool.Run(
      static_cast<int64_t>(squares.size()),
      [](void* arg, int64_t task, int) { static_cast<int64_t*>(arg)[task] = task * task; },
      squares.data());
  for (size_t i = 0; i < squares.size(); ++i) {
    ASSERT_EQ(squares[i], static_cast<int64_t>(i * i));
  }
}

TEST(ThreadPool, SizeIsClampedToTheCpusOfThisProcess) {
  EXPECT_EQ(ThreadPool(1 << 20).size(), ThreadPool::AvailableCpus());
  EXPECT_EQ(ThreadPool(0).size(), 1);
}

}  // namespace
}  // namespace anabranch
