#include "kernels/ref/attention_state.h"

#include <algorithm>
#include <cmath>

namespace anabranch::ref {

AttentionState EmptyState(std::span<float> o) {
  std::fill(o.begin(), o.end(), 0.0f);
  return AttentionState{.o = o};
}

void Merge(AttentionState& into, const AttentionState& other) {
  if (other.d == 0.0f) return;  // else -inf - -inf, which is no number
  const float m = std::max(into.m, other.m);
  const float keep = std::exp(into.m - m), take = std::exp(other.m - m);
  for (size_t i = 0; i < into.o.size(); ++i) into.o[i] = into.o[i] * keep + other.o[i] * take;
  into.d = into.d * keep + other.d * take;
  into.m = m;
}

void Normalize(const AttentionState& state, float* out) {
  const float scale = state.d == 0.0f ? 0.0f : 1.0f / state.d;
  for (size_t i = 0; i < state.o.size(); ++i) out[i] = state.o[i] * scale;
}

}  // namespace anabranch::ref
