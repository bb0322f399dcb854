// A CPU backend, chosen and ready to run: a table, a thread pool and scratch.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/exec.h"
#include "kernels/kernel_table.h"

namespace anabranch {

// The table by name ("ref", "avx2", "avx512"), or the best one that this CPU runs when name is
// empty. Error: an unknown name, or an instruction set that this CPU lacks.
Result<const KernelTable*> SelectKernels(std::string_view name);

// Owns the Exec of one table. One thread at a time may run ops on it.
class CpuExec {
 public:
  // limits.n_threads is overwritten with the pool's size. The pool must outlive this.
  static Result<std::unique_ptr<CpuExec>> Create(const KernelTable& table, ThreadPool& pool,
                                                 ExecLimits limits);
  ~CpuExec();
  CpuExec(const CpuExec&) = delete;
  CpuExec& operator=(const CpuExec&) = delete;

  const KernelTable& table() const { return table_; }
  Exec& exec() { return exec_; }

 private:
  explicit CpuExec(const KernelTable& table) : table_(table) {}
  const KernelTable& table_;
  Exec exec_{};
};

}  // namespace anabranch
