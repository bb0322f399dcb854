// Speed of a model with a window: prefill into an empty one, decoding with a full one.
#pragma once

#include "anabranch/engine.h"
#include "base/result.h"
#include "model/model.h"

namespace anabranch {

// Each repeat reads recent_size tokens into an empty context, fills what is left of it, and decodes
// greedily, alone and then while a memory is written. Errors: sizes that do not fit the model;
// fewer than one repeat or token; a folder that cannot be written.
Result<BenchReport> MeasureSpeed(Model& model, CpuExec& exec, int32_t max_batch,
                                 const BenchOptions& options);

}  // namespace anabranch
