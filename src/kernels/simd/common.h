// Small things that all files of an instruction set use. Everything under simd/ has internal
// linkage and is compiled once per instruction set, after that set's vec.h: the source of two
// tables is shared, their code never is.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/exec.h"
#include "kernels/kernel_table.h"

namespace anabranch {
namespace {

inline int64_t Min(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t Max(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t RoundUp(int64_t a, int64_t to) { return CeilDiv(a, to) * to; }

// Row r of a matrix of F32 activations.
inline float* Row(const Mat& m, int64_t r) {
  return reinterpret_cast<float*>(m.data.p) + r * m.stride;
}

template <typename T>
inline T LoadAs(const unsigned char* p) {
  T value;
  memcpy(&value, p, sizeof(value));
  return value;
}

// Of what is read once, in order: weights and keys of a single row. It is bound by memory, and the
// hardware reads ahead too little: an Intel Xeon's thread reads 24 GB/s with this, and 18 without.
inline void ReadAhead(const unsigned char* p) { __builtin_prefetch(p + 8192); }

// false, with a fault, for a step larger than the limits that scratch was planned from.
inline bool WithinLimits(Exec& exec, bool fits) {
  if (!fits && exec.fault == nullptr) exec.fault = "a step is larger than the limits of its Exec";
  return fits;
}

// Runs kTask(job, task, thread) for all tasks; `job` outlives the call, which waits.
template <typename Job, void (*kTask)(const Job&, int64_t task, int thread)>
inline void Parallel(Exec& exec, const Job& job, int64_t n_tasks) {
  exec.run(
      exec.pool, n_tasks,
      [](void* arg, int64_t task, int thread) {
        kTask(*static_cast<const Job*>(arg), task, thread);
      },
      const_cast<Job*>(&job));
}

}  // namespace
}  // namespace anabranch
