#include "kernels/cpu_exec.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <new>
#include <string>

#include "kernels/tables.h"

namespace anabranch {
namespace {

struct Candidate {
  const KernelTable* table;
  bool (*runs_here)();
};

#if defined(__x86_64__)
bool HasAvx2() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;  // clang 14's __builtin_cpu_supports knows no f16c
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0 &&
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

// The best first.
const Candidate kCandidates[] = {
#if defined(__x86_64__)
    {&kAvx512Kernels, HasAvx512},
    {&kAvx2Kernels, HasAvx2},
#endif
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
