// Speed of a model with a window: prefill into an empty one, reading on and decoding with a full
// one, beside the limits of the machine.
#pragma once

#include "anabranch/engine.h"
#include "base/result.h"
#include "model/model.h"

namespace anabranch {

// Each repeat reads recent_size tokens into an empty context, fills what is left of it, reads as
// many again, and decodes greedily, alone and then while a memory is written. The limits are
// measured before each repeat and after the last. Errors: sizes that do not fit the model;
// fewer than one repeat or token; a folder that cannot be written.
Result<BenchReport> MeasureSpeed(Model& model, CpuExec& exec, int32_t max_batch,
                                 const BenchOptions& options);

}  // namespace anabranch
