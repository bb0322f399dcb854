// Recall: from a question to passages.
#pragma once

#include <span>
#include <string>

#include "memory/decision.h"
#include "memory/dense_index.h"
#include "memory/index_layer.h"
#include "memory/memory.h"

namespace anabranch {

// `null_scores`: the null queries' best scores on the units of the view (decision.h).
// `dense` answers by the numbers that units have in the view.
Result<RecallResult> RecallFrom(const UnitView& view, DenseIndex& dense, const std::string& stream,
                                const EmbedderHandle& embedder, const NullEmbeddings& null,
                                std::span<const float> null_scores, const RecallQuery& query);

}  // namespace anabranch
