#include "stream/sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anabranch {
namespace {

using ::testing::HasSubstr;

ModelConfig Config(int32_t n_ctx_train) {
  ModelConfig config;
  config.n_layers = 2;
  config.n_kv_heads = 3;
  config.head_dim = 16;
  config.n_ctx_train = n_ctx_train;
  return config;
}

Result<StreamSizes> Plan(const StreamOptions& options, int32_t n_ctx_train, int64_t prefix = 0) {
  return PlanSizes(options, Config(n_ctx_train), ModelOptions{.max_batch = 32}, prefix);
}

TEST(PlanSizes, DefaultWindowIs4096WhenItFits) {
  const auto sizes = Plan({}, 8192);
  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->plan.n_pinned, 4);
  EXPECT_EQ(sizes->plan.recent_size, 4096);
  EXPECT_EQ(sizes->plan.recall_slots, 0);
  EXPECT_EQ(sizes->plan.notice, "");
}

TEST(PlanSizes, DefaultWindowIsLoweredWithANoticeOfBothSizes) {
  StreamOptions options;
  options.recall = RecallMode::kEvicted;
  const auto sizes = Plan(options, 2048);
  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->plan.recent_size, 2048 - 4 - 400 - kRecallFrameTokens);
  EXPECT_THAT(sizes->plan.notice, HasSubstr("4096"));
  EXPECT_THAT(sizes->plan.notice, HasSubstr(std::to_string(sizes->plan.recent_size)));
}

TEST(PlanSizes, ExplicitWindowThatDoesNotFitIsRefusedWithTheNumbers) {
  StreamOptions options;
  options.recent_size = 2045;
  const auto sizes = Plan(options, 2048);
  ASSERT_FALSE(sizes);
  EXPECT_EQ(sizes.error().kind, ErrorKind::kLimit);
  EXPECT_THAT(sizes.error().Message(), HasSubstr("2045"));
  EXPECT_THAT(sizes.error().Message(), HasSubstr("2048"));
  EXPECT_THAT(sizes.error().Message(), HasSubstr("--recent-size 2044"));
  options.recent_size = 2044;
  EXPECT_TRUE(Plan(options, 2048));
}

TEST(PlanSizes, EightBitsNeedHeadsOfWholeBlocks) {
  StreamOptions options;
  options.kv_type = KvType::kQ8_0;
  const auto sizes = Plan(options, 8192);
  ASSERT_FALSE(sizes);
  EXPECT_EQ(sizes.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(sizes.error().Message(), HasSubstr("--kv-type f16"));
  ModelConfig config = Config(8192);
  config.head_dim = 64;
  const auto plan = [&](KvType type) {
    options.kv_type = type;
    return PlanSizes(options, config, ModelOptions{.max_batch = 32}, 0).value().plan;
  };
  EXPECT_EQ(plan(KvType::kF16).kv_bytes * 72, plan(KvType::kQ8_0).kv_bytes * 128);
}

TEST(PlanSizes, KeptPrefixIsPinnedWhenLongerThanTheSinks) {
  EXPECT_EQ(Plan({}, 8192, 3)->plan.n_pinned, 4);
  EXPECT_EQ(Plan({}, 8192, 30)->plan.n_pinned, 30);
  const auto too_long = Plan({}, 512, 512);
  ASSERT_FALSE(too_long);
  EXPECT_THAT(too_long.error().Message(), HasSubstr("512 pinned"));
}

TEST(PlanSizes, SizesBelowTheirMinimumAreNamed) {
  StreamOptions window;
  window.recent_size = 0;
  EXPECT_EQ(Plan(window, 512).error().what, "--recent-size");
  StreamOptions sinks;
  sinks.start_size = -1;
  EXPECT_EQ(Plan(sinks, 512).error().what, "--start-size");
  StreamOptions chunk;
  chunk.chunk_size = 0;
  EXPECT_EQ(Plan(chunk, 512).error().what, "--chunk-size");
}

TEST(PlanSizes, DenseTakesTheWholeContext) {
  StreamOptions options;
  options.streaming = false;
  options.recent_size = 100;
  const auto sizes = Plan(options, 2048);
  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->plan.n_pinned + sizes->plan.recent_size, 2048);
}

TEST(PlanSizes, BytesAreThoseOfKeysAndValuesInEveryLayer) {
  const auto sizes = Plan({}, 8192);
  ASSERT_TRUE(sizes);
  EXPECT_GE(sizes->plan.kv_slots, 4 + 4096 + 32);
  EXPECT_GE(sizes->plan.kv_bytes, sizes->plan.kv_slots * 2 * 2 * 3 * 16 * 2);
}

TEST(PlanSizes, RereadingHasRoomForAWindowMore) {
  StreamOptions options;
  options.recall = RecallMode::kEvicted;
  options.recent_size = 1000;
  const auto keep = Plan(options, 8192);
  options.retract = RetractMode::kReread;
  const auto reread = Plan(options, 8192);
  ASSERT_TRUE(keep && reread);
  EXPECT_GE(reread->plan.kv_slots, keep->plan.kv_slots + 1000 - 32 - 64);
}

}  // namespace
}  // namespace anabranch
