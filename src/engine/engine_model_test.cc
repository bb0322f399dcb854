// End to end on the real models, in short: a text longer than the window, a needle that has left
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "anabranch/engine.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

const char* const kNeedle = "The blue envelope with the money is hidden under the third stair.";

// Some 2,000 tokens of prose, the needle a quarter from its beginning.
std::string Haystack() {
  const char* const places[] = {"harbour", "market", "valley", "chapel", "orchard",
                                "bridge",  "forest", "mill",   "square", "lighthouse"};
  const char* const weathers[] = {"rain", "fog", "a mild wind", "snow", "bright sun"};
  std::string text;
  for (int i = 0; i < 100; ++i) {
    if (i == 25) text += std::string(kNeedle) + " ";
    text += std::string("On day ") + std::to_string(i + 1) + " the travellers reached the " +
            places[i % 10] + " in " + weathers[i % 5] + " and wrote a short note about it. ";
  }
  return text;
}

TEST(EngineModel, ANeedleThatLeftTheWindowIsRecalledAndSmallTalkRecallsNothing) {
  const std::string models = ANABRANCH_SOURCE_DIR "/models/";
  const auto engine = Engine::Open({.model = models + "SmolLM2-135M-Instruct.Q4_1.gguf",
                                    .embedder = models + "all-MiniLM-L6-v2",
                                    .n_threads = 0,
                                    .kernels = "",
                                    .chat_template = "",
                                    .memory = "",
                                    .on_progress = nullptr});
  ASSERT_TRUE(engine) << engine.error().Message();
  EXPECT_EQ((*engine)->info().chat_template, "chatml");
  EXPECT_EQ((*engine)->info().n_ctx_train, 8192);

  StreamOptions options;
  options.recent_size = 512;
  options.recall = RecallMode::kEvicted;
  options.system = "You are a helpful assistant.";
  const auto stream = (*engine)->OpenStream(options);
  ASSERT_TRUE(stream) << stream.error().Message();
  ASSERT_TRUE((*stream)->Read(Role::kUser, Haystack()));
  EXPECT_GT((*stream)->stats().evicted, 1000);

  AnswerOptions short_answer;
  short_answer.max_tokens = 24;
  const auto found = (*stream)->Answer("Where is the blue envelope hidden?", short_answer);
  ASSERT_TRUE(found) << found.error().Message();
  EXPECT_EQ(found->recall.decision, RecallDecision::kUsed) << found->recall.best_score;
  std::string recalled;
  for (const Passage& passage : found->recall.passages) recalled += passage.text;
  EXPECT_THAT(recalled, HasSubstr("under the third stair"));

  const auto talk = (*stream)->Answer("Thank you! How are you today?", short_answer);
  ASSERT_TRUE(talk) << talk.error().Message();
  EXPECT_NE(talk->recall.decision, RecallDecision::kUsed) << talk->recall.best_score;
  EXPECT_EQ(talk->recalled_tokens, 0);
}

}  // namespace
}  // namespace anabranch
