// What a CPU backend runs on: threads and scratch. Plain data, so that files of one instruction set
// can include it; CpuExec (cpu_exec.h) owns what it points to.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel_table.h"

namespace anabranch {

struct Exec {
  // Runs fn(arg, task, thread) for task in [0, n_tasks), thread in [0, limits.n_threads); returns
  // when all have ended.
  void (*run)(void* pool, int64_t n_tasks, void (*fn)(void* arg, int64_t task, int thread),
              void* arg);
  void* pool;
  unsigned char* scratch;  // scratch_bytes(limits) of the table, 64-byte aligned
  ExecLimits limits;
  const char* fault;  // sticky until sync
};

}  // namespace anabranch
