#include "kernels/ref/attention_state.h"

#include <gtest/gtest.h>
// RapidCheck's macros want GoogleTest's before them.
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace anabranch::ref {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kHeadDim = 2;

// A state that owns its output.
struct OwnedState {
  OwnedState() : o(kHeadDim), state(EmptyState(o)) {}
  OwnedState(const OwnedState& other) : o(other.o), state(other.state) { state.o = o; }
  OwnedState& operator=(const OwnedState&) = delete;

  std::vector<float> o;
  AttentionState state;
};

using Key = std::pair<float, std::vector<float>>;  // score and value

// The state of some keys, one by one.
OwnedState StateOf(const std::vector<Key>& keys) {
  OwnedState all;
  for (Key key : keys) Merge(all.state, AttentionState{.o = key.second, .m = key.first, .d = 1.0f});
  return all;
}

OwnedState Merged(OwnedState a, const OwnedState& b) {
  Merge(a.state, b.state);
  return a;
}

std::vector<Key> Keys() {
  const auto n = *rc::gen::inRange(0, 6);
  std::vector<Key> keys;
  for (int i = 0; i < n; ++i) {
    const auto number = [] { return static_cast<float>(*rc::gen::inRange(-1000, 1001)) / 100.0f; };
    keys.push_back({number() * 5.0f, {number(), number()}});
  }
  return keys;
}

// Same maximum exactly; sums of at most 18 terms of up to 10 to a few roundings each.
void ExpectSame(const OwnedState& a, const OwnedState& b) {
  RC_ASSERT(a.state.m == b.state.m);
  RC_ASSERT(std::abs(a.state.d - b.state.d) <= 1e-5f * (1.0f + std::abs(a.state.d)));
  for (size_t i = 0; i < kHeadDim; ++i) RC_ASSERT(std::abs(a.o[i] - b.o[i]) <= 1e-3f);
}

RC_GTEST_PROP(AttentionStateTest, MergeIsAssociativeAndCommutative, ()) {
  const OwnedState a = StateOf(Keys()), b = StateOf(Keys()), c = StateOf(Keys());
  ExpectSame(Merged(Merged(a, b), c), Merged(a, Merged(b, c)));
  ExpectSame(Merged(a, b), Merged(b, a));
}

RC_GTEST_PROP(AttentionStateTest, MergingTheIdentityChangesNoBit, ()) {
  const OwnedState a = StateOf(Keys()), identity;
  for (const OwnedState& merged : {Merged(a, identity), Merged(identity, a)}) {
    RC_ASSERT(merged.state.m == a.state.m);
    RC_ASSERT(merged.state.d == a.state.d);
    RC_ASSERT(merged.o == a.o);
  }
}

TEST(AttentionStateTest, IdentitiesMergeToTheIdentityWhichIsAttentionToNothing) {
  const OwnedState merged = Merged(OwnedState(), OwnedState());
  EXPECT_EQ(merged.state.m, -kInfinity);
  EXPECT_EQ(merged.state.d, 0.0f);
  std::vector<float> out = {3.0f, 4.0f};
  Normalize(merged.state, out.data());
  EXPECT_EQ(out, (std::vector<float>{0.0f, 0.0f}));
}

RC_GTEST_PROP(AttentionStateTest, NormalizedIsTheSoftmaxOfAllKeys, ()) {
  std::vector<Key> keys = Keys();
  keys.push_back({0.0f, {1.0f, 2.0f}});
  double sum = 0.0, want[kHeadDim] = {};
  for (const auto& [score, value] : keys) {
    sum += std::exp(static_cast<double>(score));
    for (size_t i = 0; i < kHeadDim; ++i) {
      want[i] += std::exp(static_cast<double>(score)) * static_cast<double>(value[i]);
    }
  }
  float got[kHeadDim];
  Normalize(StateOf(keys).state, got);
  for (size_t i = 0; i < kHeadDim; ++i) RC_ASSERT(std::abs(got[i] - want[i] / sum) <= 1e-5);
}

}  // namespace
}  // namespace anabranch::ref
