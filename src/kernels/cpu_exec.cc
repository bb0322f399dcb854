#include "kernels/cpu_exec.h"

#include <new>
#include <string>

#include "kernels/tables.h"

namespace anabranch {
namespace {

struct Candidate {
  const KernelTable* table;
  bool (*runs_here)();
};

// The best first.
const Candidate kCandidates[] = {
    {&kRefKernels, [] { return true; }},
};

constexpr size_t kScratchAlignment = 64;

void RunOnPool(void* pool, int64_t n_tasks, void (*fn)(void* arg, int64_t task, int thread),
               void* arg) {
  static_cast<ThreadPool*>(pool)->Run(n_tasks, fn, arg);
}

}  // namespace

Result<const KernelTable*> SelectKernels(std::string_view name) {
  std::string known;
  for (const Candidate& candidate : kCandidates) {
    if (name.empty() ? candidate.runs_here() : name == candidate.table->name) {
      if (candidate.runs_here()) return candidate.table;
      return Fail(ErrorKind::kUnsupported, "kernels " + std::string(name),
                  "this CPU lacks the instruction set", "leave the choice out, or use \"ref\"");
    }
    known += (known.empty() ? "" : ", ") + std::string(candidate.table->name);
  }
  return Fail(ErrorKind::kInvalid, "kernels " + std::string(name), "there is no such table",
              "choose among " + known);
}

Result<std::unique_ptr<CpuExec>> CpuExec::Create(const KernelTable& table, ThreadPool& pool,
                                                 ExecLimits limits) {
  limits.n_threads = pool.size();
  std::unique_ptr<CpuExec> exec(new CpuExec(table));
  exec->exec_ = Exec{RunOnPool, &pool, nullptr, limits, nullptr};
  const size_t bytes = table.scratch_bytes(limits);
  exec->exec_.scratch = static_cast<unsigned char*>(
      ::operator new (bytes, std::align_val_t{kScratchAlignment}, std::nothrow));
  if (exec->exec_.scratch == nullptr) {
    return Fail(ErrorKind::kLimit, "scratch of the kernels",
                "no memory for " + std::to_string(bytes) + " bytes", "use a smaller batch");
  }
  return exec;
}

CpuExec::~CpuExec() { ::operator delete (exec_.scratch, std::align_val_t{kScratchAlignment}); }

}  // namespace anabranch
