// What attention over some of the keys leaves behind, such that the states of any two sets of keys
// merge into the state of both (FlashInfer, Ye et al. 2025, arXiv 2501.01005, section 2.2; the
// splitting of keys is flash-decoding's).
//
// Over keys i with scores s_i and values v_i:  m = max s_i,  d = sum exp(s_i - m),
// o = sum exp(s_i - m) v_i, and attention is o / d. No keys: m = -inf, d = 0, o = 0, the identity.
#pragma once

#include <limits>
#include <span>

namespace anabranch::ref {

struct AttentionState {
  std::span<float> o;  // [head_dim], memory of the caller
  float m = -std::numeric_limits<float>::infinity();
  float d = 0.0f;
};

// The identity, over the caller's memory.
AttentionState EmptyState(std::span<float> o);

// `into` becomes the state of its keys and of other's. Merging with the identity changes nothing;
// merging identities gives the identity.
void Merge(AttentionState& into, const AttentionState& other);

// out = o / d; zeros when the state saw no key.
void Normalize(const AttentionState& state, float* out);

}  // namespace anabranch::ref
