// How well a model predicts a text under a window, in batches.
#pragma once

#include <span>

#include "anabranch/engine.h"
#include "base/result.h"
#include "model/model.h"

namespace anabranch {

// Negative log-likelihood (natural logarithm) of `token` under `logits` [n_vocab].
double NegativeLogLikelihood(std::span<const float> logits, TokenId token);

// Row i predicts token i + 1, so one token less is predicted than is read. Errors: kLimit, a text
// longer than a dense context, naming --enable-streaming; kInvalid, fewer than two tokens.
Result<PerplexityReport> MeasurePerplexity(Model& model, CpuExec& exec, int32_t max_batch,
                                           std::span<const TokenId> tokens,
                                           const PerplexityOptions& options);

}  // namespace anabranch
