#include "kernels/cpu_exec.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>

#include "kernels/tables.h"

// AddressSanitizer ends the process at an allocation beyond its limit; a test wants to see it fail.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }

namespace anabranch {
namespace {

TEST(SelectKernelsTest, TablesAreFoundByNameOrByWhatTheCpuRuns) {
  const auto ref = SelectKernels("ref");
  ASSERT_TRUE(ref.has_value());
  EXPECT_EQ(*ref, &kRefKernels);
  const auto best = SelectKernels("");
  ASSERT_TRUE(best.has_value());
  const std::set<std::string> names = {"ref", "avx2", "avx512"};
  EXPECT_TRUE(names.contains((*best)->name));
  EXPECT_EQ(SelectKernels((*best)->name).value(), *best);
#if defined(__x86_64__)
  if (SelectKernels("avx512").has_value()) {
    EXPECT_EQ(*best, &kAvx512Kernels);
  } else if (SelectKernels("avx2").has_value()) {
    EXPECT_EQ(*best, &kAvx2Kernels);
  }
#endif
}

TEST(SelectKernelsTest, AnUnknownNameIsAnErrorThatNamesTheTables) {
  const auto table = SelectKernels("sse9");
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(table.error().Message().find("sse9"), std::string::npos);
  EXPECT_NE(table.error().remedy.find("ref"), std::string::npos);
}

TEST(CpuExecTest, RunsEveryTaskOnceOnThreadsBelowItsLimit) {
  ThreadPool pool(2);
  auto exec = CpuExec::Create(kRefKernels, pool, {.max_rows = 4, .max_cols = 64, .n_threads = 99});
  ASSERT_TRUE(exec.has_value());
  Exec& e = (*exec)->exec();
  EXPECT_EQ(e.limits.n_threads, pool.size());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(e.scratch) % 64, 0u);

  struct Job {
    std::atomic<int> runs[100] = {};
    std::atomic<int> bad_threads{0};
    int n_threads = 0;
  } job;
  job.n_threads = pool.size();
  e.run(
      e.pool, 100,
      [](void* arg, int64_t task, int thread) {
        auto* j = static_cast<Job*>(arg);
        ++j->runs[task];
        if (thread < 0 || thread >= j->n_threads) ++j->bad_threads;
      },
      &job);
  for (const auto& runs : job.runs) EXPECT_EQ(runs, 1);
  EXPECT_EQ(job.bad_threads, 0);
}

TEST(CpuExecTest, ScratchThatDoesNotFitIsALimit) {
  ThreadPool pool(1);
  KernelTable greedy = kRefKernels;
  greedy.scratch_bytes = [](const ExecLimits&) { return size_t{1} << 60; };
  const auto exec = CpuExec::Create(greedy, pool, {});
  ASSERT_FALSE(exec.has_value());
  EXPECT_EQ(exec.error().kind, ErrorKind::kLimit);
}

}  // namespace
}  // namespace anabranch
