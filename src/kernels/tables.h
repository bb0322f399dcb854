// The tables that are compiled in. SelectKernels (cpu_exec.h) chooses among them.
#pragma once

#include "kernels/kernel_table.h"

namespace anabranch {

extern const KernelTable kRefKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#endif

}  // namespace anabranch
