// Recall as a stream does it: what is asked, where recalled text stands and how it leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/chat_stream_fixture.h"

namespace anabranch {
namespace {

using testing::ChatStreamTest;
using ::testing::ElementsAre;
using testing::FakeMemoryLog;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kRecent;
using testing::TinyStreams;

TEST_F(ChatStreamTest, RecalledTextLeavesTheContextWithTheAnswer) {
  const auto stream = OpenRecalling(&log_);
  std::vector<RecallDecision> told;
  answer_.on_recall = [&](const RecallResult& recall) { told.push_back(recall.decision); };
  const auto answer = stream->Answer("what is it?", answer_);
  ASSERT_TRUE(answer);
  EXPECT_THAT(told, ElementsAre(RecallDecision::kUsed));
  EXPECT_EQ(answer->recall.passages.size(), 1u);
  EXPECT_GT(answer->recalled_tokens, 29);
  EXPECT_FALSE(stream->kv().has_recalled());
  EXPECT_EQ(Bands(*stream), 2) << "pinned and window: stream text alone";
  EXPECT_EQ(stream->kv().next().value(), static_cast<int64_t>(Ids(log_).size()))
      << "recalled text is no part of the stream";
}

TEST_F(ChatStreamTest, RecalledTextReachesTheAnswer) {
  const auto recalling = OpenRecalling(&log_);
  const auto with = recalling->Answer("what is it?", answer_);
  log_ = {};
  log_.recall.decision = RecallDecision::kBelowThreshold;
  const auto silent = OpenRecalling(&log_);
  const auto without = silent->Answer("what is it?", answer_);
  ASSERT_TRUE(with && without);
  EXPECT_NE(with->text, without->text);
  EXPECT_EQ(without->recalled_tokens, 0);
}

TEST_F(ChatStreamTest, FailedMemoryDegradesRecallAndStopsNothing) {
  log_.recall.decision = RecallDecision::kNone;
  log_.recall.passages.clear();
  const auto well = OpenRecalling(&log_);
  const auto healthy = well->Answer("hello?", answer_);
  FakeMemoryLog sick_log = log_;
  sick_log.durable.clear();
  sick_log.fail_recall = sick_log.fail_append = true;
  const auto sick = OpenRecalling(&sick_log);
  const auto degraded = sick->Answer("hello?", answer_);
  ASSERT_TRUE(healthy && degraded);
  EXPECT_EQ(degraded->recall.decision, RecallDecision::kDegraded);
  EXPECT_THAT(degraded->recall.fault, HasSubstr("the disk is full"));
  EXPECT_EQ(degraded->text, healthy->text);
  // A window and more goes by, and nothing is lost when the memory is back.
  ASSERT_TRUE(sick->Read(Role::kUser, std::string(3 * kRecent, 'y'), 0, nullptr));
  sick_log.fail_recall = sick_log.fail_append = false;
  const auto recovered = sick->Answer("again?", answer_);
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->recall.fault, "");
  EXPECT_EQ(static_cast<int64_t>(Ids(sick_log).size()), sick->kv().next().value());
}

TEST_F(ChatStreamTest, AServerThatARecallDidWithoutIsSaid) {
  log_.recall.fault = "the server is away";
  const auto stream = OpenRecalling(&log_);
  const auto used = stream->Answer("hello?", answer_);
  ASSERT_TRUE(used);
  EXPECT_EQ(used->recall.decision, RecallDecision::kUsed);
  EXPECT_EQ(used->recall.fault, "the server is away");
  log_.recall.decision = RecallDecision::kNone;
  log_.recall.passages.clear();
  const auto none = stream->Answer("hello?", answer_);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->recall.decision, RecallDecision::kDegraded);
  EXPECT_EQ(none->recall.fault, "the server is away");
}

TEST_F(ChatStreamTest, OfALongTurnOnlyItsEndAsksAndIsExcluded) {
  const auto stream = OpenRecalling(&log_);
  std::string text;
  while (text.size() < 400) text += "Here is one more sentence. ";
  text += "Where is the cat?";
  const auto answer = stream->Answer(text, answer_);
  ASSERT_TRUE(answer);
  ASSERT_EQ(log_.asked.size(), 1u);
  EXPECT_LT(log_.asked[0].size(), text.size());
  EXPECT_TRUE(text.ends_with(log_.asked[0]));
  EXPECT_THAT(log_.asked[0], HasSubstr("Where is the cat?"));
  const RecallQuery& query = log_.queries[0];
  EXPECT_LE(query.exclude.size(), kRecent / 2);
  EXPECT_GT(query.exclude.begin, query.pinned.end);
  const int64_t header = static_cast<int64_t>(
      tiny_.tokenizer().EncodeTemplate(tiny_.chat_template().assistant_header).size());
  EXPECT_EQ(query.window_begin, query.exclude.end + (header - kRecent))
      << "what the turn evicts may be recalled";
  EXPECT_EQ(Texts(log_)[1], text);
}

TEST_F(ChatStreamTest, AWindowSmallerThanABatchEvictsOnlyWhatIsDurable) {
  options_.recent_size = TinyStreams::kMaxBatch / 2;
  ChatStream* reading = nullptr;
  int64_t looks = 0;
  options_.on_progress = [&](const Progress&) {
    const StreamStats stats = reading->stats();
    if (stats.evicted == 0) return;
    EXPECT_GE(stats.journalled, stats.window_begin);
    ++looks;
  };
  options_.system.clear();
  const auto stream = OpenRecalling(&log_);
  reading = stream.get();
  ASSERT_TRUE(stream->Read(Role::kUser, std::string(100, 'y'), 0, nullptr));
  EXPECT_GT(looks, 5);
}

TEST_F(ChatStreamTest, TheQuestionBeforeIsHandedOnWithTheNext) {
  const auto stream = OpenRecalling(&log_);
  ASSERT_TRUE(stream->Answer("Who is Ada?", answer_));
  ASSERT_TRUE(stream->Answer("When was she born?", answer_));
  EXPECT_THAT(log_.previous, ElementsAre("", "Who is Ada?"));
}

TEST_F(ChatStreamTest, AFirstQuestionAsksWholeOnceItHasFilledThePinnedPart) {
  options_.system.clear();
  options_.start_size = 8;  // the header and some of the question
  const auto stream = OpenRecalling(&log_);
  const auto first = stream->Answer("Where is the key?", answer_);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->recall.decision, RecallDecision::kUsed);
  EXPECT_GT(first->recalled_tokens, 0);
  EXPECT_THAT(log_.asked, ElementsAre("Where is the key?"));
  EXPECT_EQ(log_.queries[0].exclude.begin, StreamPos(0));
}

TEST_F(ChatStreamTest, NothingIsRecalledWhileThePinnedPartFills) {
  options_.system.clear();
  options_.start_size = 30;
  const auto stream = OpenRecalling(&log_);
  const auto first = stream->Answer("hello?", answer_);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->recall.decision, RecallDecision::kNone);
  EXPECT_THAT(log_.asked, IsEmpty());
  const auto second = stream->Answer("hello?", answer_);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->recall.decision, RecallDecision::kUsed);
}

TEST_F(ChatStreamTest, RecallCanBeChangedOnlyWhereThereIsRoomForIt) {
  const auto plain = OpenPlain();
  const auto refused = plain->SetRecall(RecallMode::kAlways);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "--recall");
  EXPECT_TRUE(plain->SetRecall(RecallMode::kNever));

  const auto stream = OpenRecalling(&log_);
  ASSERT_TRUE(stream->SetRecall(RecallMode::kNever));
  EXPECT_EQ(stream->Answer("hi?", answer_)->recall.decision, RecallDecision::kOff);
  ASSERT_TRUE(stream->SetRecall(RecallMode::kAlways));
  EXPECT_EQ(stream->Answer("hi?", answer_)->recall.decision, RecallDecision::kUsed);
  EXPECT_EQ(log_.queries.back().mode, RecallMode::kAlways);
}

TEST_F(ChatStreamTest, RereadTurnTookNothingFromWhatWasRecalled) {
  options_.retract = RetractMode::kReread;
  FakeMemoryLog none_log;
  none_log.recall.decision = RecallDecision::kNone;
  const auto recalled = OpenRecalling(&log_), none = OpenRecalling(&none_log);
  AnswerOptions silent = answer_;
  silent.max_tokens = 0;  // turns alike, whatever the model would say
  for (ChatStream* stream : {recalled.get(), none.get()}) {
    ASSERT_TRUE(stream->Read(Role::kUser, std::string(120, 'h'), 0, nullptr));
    ASSERT_TRUE(stream->Answer("Tell me about the river and what it carries.", silent));
    ASSERT_TRUE(stream->SetRecall(RecallMode::kNever));
  }
  const std::string want = none->Answer("and then?", answer_)->text;
  EXPECT_EQ(recalled->Answer("and then?", answer_)->text, want);
  EXPECT_EQ(recalled->kv().next(), none->kv().next());
}

}  // namespace
}  // namespace anabranch
