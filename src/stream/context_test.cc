#include "stream/context.h"

#include <gtest/gtest.h>

#include "stream/tiny_stream.h"

namespace anabranch {
namespace {

using testing::TinyStreams;

class ContextTest : public ::testing::Test {
 protected:
  Context Open(int32_t spare = TinyStreams::kMaxBatch) const {
    return Context::Create(tiny_.model(), tiny_.exec(),
                           {.n_pinned = 4,
                            .recent_size = 24,
                            .max_batch = spare,
                            .recall_slots = 20,
                            .first = StreamPos(0)},
                           TinyStreams::kMaxBatch)
        .value();
  }
  static std::vector<TokenId> Tokens(int32_t n, int32_t seed) {
    std::vector<TokenId> tokens;
    for (int32_t i = 0; i < n; ++i) tokens.emplace_back(3 + (i * 37 + seed * 11) % 256);
    return tokens;
  }
  static void Read(Context* context, std::span<const TokenId> tokens) {
    while (!tokens.empty()) {
      const size_t n = std::min<size_t>(tokens.size(), TinyStreams::kMaxBatch);
      ASSERT_TRUE(context->Step(tokens.first(n)));
      tokens = tokens.subspan(n);
    }
  }
  // The logits of one more token; the context is not changed.
  static std::vector<float> Probe(const Context& context) {
    Context copy = context.Clone().value();
    const TokenId token(50);
    EXPECT_TRUE(copy.Step({&token, 1}));
    const auto logits = copy.Logits().value();
    return {logits.begin(), logits.end()};
  }

  TinyStreams tiny_;
};

TEST_F(ContextTest, CloneGoesItsOwnWay) {
  Context context = Open();
  Read(&context, Tokens(40, 1));
  const std::vector<float> before = Probe(context);
  Context copy = context.Clone().value();
  EXPECT_EQ(Probe(copy), before);
  Read(&copy, Tokens(40, 2));
  EXPECT_NE(Probe(copy), before);
  EXPECT_EQ(Probe(context), before);
}

TEST_F(ContextTest, WhatIsSkippedLeavesNoTrace) {
  const std::vector<TokenId> pinned = Tokens(4, 1);
  for (const int32_t n_rest : {1, 20, 60}) {
    const std::vector<TokenId> rest = Tokens(n_rest, 2);
    Context together = Open(), skipped = Open();
    Read(&together, pinned);
    Read(&together, rest);
    Read(&skipped, pinned);
    skipped.SkipTo(StreamPos(100003));
    EXPECT_EQ(skipped.WindowBeginAfter(0), StreamPos(100003));
    Read(&skipped, rest);
    EXPECT_EQ(skipped.kv().next(), StreamPos(100003 + n_rest));
    const std::vector<float> want = Probe(together), got = Probe(skipped);
    // Keys are stored as f16, rotated at their positions: the same to its rounding.
    for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 0.02) << n_rest;
  }
}

TEST_F(ContextTest, FailedStepLeavesTheContextAsItWas) {
  Context context = Open();
  Read(&context, Tokens(40, 1));
  const std::vector<float> before = Probe(context);
  std::vector<TokenId> bad = Tokens(5, 2);
  bad[3] = TokenId(1 << 30);
  EXPECT_FALSE(context.Step(bad));
  EXPECT_EQ(context.kv().next(), StreamPos(40));
  EXPECT_FALSE(context.Recall(bad));
  EXPECT_FALSE(context.kv().has_recalled());
  EXPECT_EQ(Probe(context), before);
}

TEST_F(ContextTest, RecallAndRetractChangeNoLogit) {
  Context context = Open();
  Read(&context, Tokens(40, 1));
  const std::vector<float> before = Probe(context);
  ASSERT_TRUE(context.Recall(Tokens(20, 3)));
  EXPECT_NE(Probe(context), before);
  context.Retract();
  EXPECT_EQ(Probe(context), before);
}

TEST_F(ContextTest, RewoundStreamIsAsIfItHadNeverRecalled) {
  Context plain = Open(64), recalled = Open(64);
  for (Context* context : {&plain, &recalled}) Read(context, Tokens(100, 1));
  const KvContext split = recalled.kv();
  ASSERT_TRUE(recalled.Recall(Tokens(20, 3)));
  const std::vector<TokenId> turn = Tokens(60, 2);
  Read(&recalled, turn);
  recalled.Retract();
  Read(&plain, turn);
  EXPECT_NE(Probe(recalled), Probe(plain)) << "the turn's own keys took something from it";
  ASSERT_TRUE(recalled.CanRewind(split));
  recalled.Rewind(split);
  Read(&recalled, turn);
  EXPECT_EQ(Probe(recalled), Probe(plain));
}

TEST_F(ContextTest, RewindsOnlyWhileTheSplitsWindowHasItsSlots) {
  Context context = Open(64);
  Read(&context, Tokens(100, 1));
  const KvContext split = context.kv();
  Read(&context, Tokens(64, 1));
  EXPECT_TRUE(context.CanRewind(split));
  Read(&context, Tokens(1, 1));
  EXPECT_FALSE(context.CanRewind(split));
}

TEST_F(ContextTest, ClearedContextIsANewOne) {
  Context context = Open(), fresh = Open();
  Read(&context, Tokens(40, 1));
  context.Clear(StreamPos(0), context.kv().sizes().n_pinned);
  for (Context* each : {&context, &fresh}) Read(each, Tokens(30, 2));
  EXPECT_EQ(Probe(context), Probe(fresh));
}

}  // namespace
}  // namespace anabranch
