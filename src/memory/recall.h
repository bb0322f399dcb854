// Recall: from a question to passages.
#pragma once

#include <span>
#include <string>

#include "memory/decision.h"
#include "memory/index_layer.h"
#include "memory/memory.h"

namespace anabranch {

// `null_scores`: the null queries' best scores on the units of the view (decision.h).
Result<RecallResult> RecallFrom(const UnitView& view, const std::string& stream,
                                const EmbedderHandle& embedder, const NullEmbeddings& null,
                                std::span<const float> null_scores, const RecallQuery& query);

}  // namespace anabranch
