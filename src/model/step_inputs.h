// What a step's kernels read besides weights: token ids and the plan, at fixed backend addresses.
#pragma once

#include <span>

#include "anabranch/types.h"
#include "base/result.h"
#include "kernels/kernel_table.h"
#include "kv/step_plan.h"
#include "model/device_memory.h"

namespace anabranch {

struct StepInputs {
  static Result<StepInputs> Create(DeviceMemory& memory, int32_t max_rows, int32_t max_bands,
                                   int32_t max_segments);

  // Copies a step, whose sizes must not exceed those of Create. Allocates nothing.
  void Upload(CpuExec& exec, std::span<const TokenId> tokens, const StepPlan& step);

  DevPtr ids, stored_pos, slots;
  AttendPlan attend;

 private:
  int32_t max_rows_ = 0, max_bands_ = 0, max_segments_ = 0;
};

}  // namespace anabranch
