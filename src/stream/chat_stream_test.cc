#include "stream/chat_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "stream/fake_memory.h"
#include "stream/tiny_stream.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

using ::testing::ElementsAre;
using testing::FakeMemory;
using testing::FakeMemoryLog;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TinyStreams;

constexpr int64_t kRecent = 96;

class ChatStreamTest : public ::testing::Test {
 protected:
  ChatStreamTest() {
    options_.recent_size = kRecent;
    options_.recall_tokens = 150;
    options_.system = "be kind";
    answer_.max_tokens = 12;
    Passage passage;
    passage.span = {StreamPos(0), StreamPos(9)};
    passage.text = "The secret word is xylophone.";
    passage.score = .8f;
    log_.recall.decision = RecallDecision::kUsed;
    log_.recall.passages = {passage};
  }
  std::unique_ptr<ChatStream> OpenPlain() const { return tiny_.Open(options_); }
  std::unique_ptr<ChatStream> OpenRecalling(FakeMemoryLog* log) {
    options_.recall = RecallMode::kEvicted;
    return tiny_.Open(options_, std::make_unique<FakeMemory>(log));
  }
  // Text records of the journal, a turn's parts joined.
  static std::vector<std::string> Texts(const FakeMemoryLog& log) {
    std::vector<std::string> texts;
    int64_t turn = -1;
    for (const JournalRecord& record : log.durable) {
      if (record.kind != RecordKind::kText) continue;
      if (record.turn != turn) texts.emplace_back();
      turn = record.turn;
      texts.back() += record.bytes;
    }
    return texts;
  }
  // The whole journal as ids; checks that it has no hole.
  static std::vector<TokenId> Ids(const FakeMemoryLog& log) {
    std::vector<TokenId> ids;
    for (const JournalRecord& record : log.durable) {
      EXPECT_EQ(record.begin, StreamPos(static_cast<int64_t>(ids.size())));
      ids.insert(ids.end(), record.ids.begin(), record.ids.end());
    }
    return ids;
  }
  static int32_t Bands(const ChatStream& stream) {
    StepPlan plan(1, KvContext::kMaxBands, KvContext::kMaxSegments);
    stream.kv().PlanStream(1, &plan);
    return plan.n_bands;
  }

  TinyStreams tiny_{{.n_ctx_train = 1024}};
  StreamOptions options_;
  AnswerOptions answer_;
  FakeMemoryLog log_;
};

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

TEST_F(ChatStreamTest, WhatWasSaidIsRememberedInFullAndNothingElse) {
  const auto stream = OpenRecalling(&log_);
  const auto answer = stream->Answer("what is it?", answer_);
  ASSERT_TRUE(answer);
  ASSERT_TRUE(stream->Read(Role::kAssistant, "so it is", 5, nullptr));
  const std::vector<TokenId> ids = Ids(log_);
  EXPECT_EQ(static_cast<int64_t>(ids.size()), stream->kv().next().value());
  const std::vector<std::string> texts = Texts(log_);
  ASSERT_EQ(texts.size(), 4u);
  EXPECT_EQ(texts[0], "be kind");
  EXPECT_EQ(texts[1], "what is it?");
  EXPECT_EQ(texts[3], "so it is");
  std::string said;
  for (const JournalRecord& record : log_.durable) {
    if (record.kind == RecordKind::kText && record.turn == 2) {
      said += tiny_.tokenizer().Decode(record.ids);
    }
    EXPECT_EQ(record.role, record.turn == 0   ? Role::kSystem
                           : record.turn == 1 ? Role::kUser
                                              : Role::kAssistant);
  }
  EXPECT_EQ(texts[2], said);
  EXPECT_EQ(log_.durable.back().time_ms, 5);
}

TEST_F(ChatStreamTest, SameQuestionsSameBytes) {
  answer_.sampling.temperature = 1;
  answer_.sampling.seed = 7;
  std::vector<std::string> said;
  for (int run = 0; run < 2; ++run) {
    const auto stream = OpenPlain();
    std::string all;
    for (const char* question : {"one?", "two?", "three?"}) {
      all += stream->Answer(question, answer_)->text + "|";
    }
    said.push_back(all);
  }
  EXPECT_EQ(said[0], said[1]);
}

TEST_F(ChatStreamTest, TextComesInPiecesThatAreTheAnswer) {
  const auto stream = OpenPlain();
  std::string pieces;
  answer_.on_text = [&](std::string_view text) {
    EXPECT_TRUE(IsValidUtf8(text));
    pieces += text;
  };
  const auto answer = stream->Answer("hello?", answer_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(pieces, answer->text);
  EXPECT_LE(answer->answer_tokens, 12);
  EXPECT_EQ(answer->stop == StopReason::kLength, answer->answer_tokens == 12);
  EXPECT_EQ(answer->window.end, stream->kv().next());
}

TEST_F(ChatStreamTest, InterruptedAnswerIsKeptClosedAndRemembered) {
  std::atomic<bool> cancel = false;
  answer_.max_tokens = 200;
  answer_.cancel = &cancel;
  answer_.on_text = [&](std::string_view) { cancel = true; };
  const auto stream = OpenRecalling(&log_);
  const auto answer = stream->Answer("hello?", answer_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->stop, StopReason::kInterrupt);
  EXPECT_NE(answer->text, "");
  EXPECT_LT(answer->answer_tokens, 200);
  EXPECT_FALSE(stream->kv().has_recalled());
  const std::vector<TokenId> footer =
      tiny_.tokenizer().EncodeTemplate(tiny_.chat_template().assistant_footer);
  EXPECT_EQ(log_.durable.back().kind, RecordKind::kTemplate);
  EXPECT_EQ(log_.durable.back().ids, footer);
  EXPECT_EQ(static_cast<int64_t>(Ids(log_).size()), stream->kv().next().value());
}

TEST_F(ChatStreamTest, InterruptedReadingIsKeptAndClosed) {
  std::atomic<bool> cancel = true;
  const auto stream = OpenRecalling(&log_);
  const std::string text(100, 'x');
  const auto read = stream->Read(Role::kUser, text, 0, &cancel);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kInterrupted);
  answer_.cancel = &cancel;
  const auto answer = stream->Answer(text, answer_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->stop, StopReason::kInterrupt);
  EXPECT_EQ(answer->answer_tokens, 0);
  for (size_t turn = 1; turn <= 2; ++turn) {
    EXPECT_LT(Texts(log_)[turn].size(), text.size());
    EXPECT_GT(Texts(log_)[turn].size(), 0u);
  }
  EXPECT_EQ(log_.durable.back().ids,
            tiny_.tokenizer().EncodeTemplate(tiny_.chat_template().user_footer));
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

TEST_F(ChatStreamTest, NothingIsEvictedBeforeItIsDurable) {
  const auto stream = OpenRecalling(&log_);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(
        stream->Read(Role::kUser, std::string(static_cast<size_t>(17 * i), 'z'), 0, nullptr));
    EXPECT_LE(stream->kv().window_begin(), stream->stats().journalled);
  }
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
  EXPECT_GT(query.exclude.begin, query.pinned_end);
  const int64_t header = static_cast<int64_t>(
      tiny_.tokenizer().EncodeTemplate(tiny_.chat_template().assistant_header).size());
  EXPECT_EQ(query.window_begin, query.exclude.end + (header - kRecent))
      << "what the turn evicts may be recalled";
  EXPECT_EQ(Texts(log_)[1], text);
}

TEST_F(ChatStreamTest, TurnsLongerThanTheWindowAreAnswered) {
  const auto stream = OpenRecalling(&log_);
  for (int i = 0; i < 3; ++i) {
    const auto answer = stream->Answer(std::string(5 * kRecent, 'q'), answer_);
    ASSERT_TRUE(answer);
    EXPECT_LE(answer->window.size(), kRecent);
    EXPECT_GT(answer->evicted_tokens, 3 * kRecent);
  }
}

TEST_F(ChatStreamTest, TheQuestionBeforeIsHandedOnWithTheNext) {
  const auto stream = OpenRecalling(&log_);
  ASSERT_TRUE(stream->Answer("Who is Ada?", answer_));
  ASSERT_TRUE(stream->Answer("When was she born?", answer_));
  EXPECT_THAT(log_.previous, ElementsAre("", "Who is Ada?"));
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

TEST_F(ChatStreamTest, DenseConversationThatOutgrowsTheContextNamesTheFlag) {
  const TinyStreams small{{.n_ctx_train = 128}};
  StreamOptions options;
  options.streaming = false;
  const auto stream = small.Open(options);
  ASSERT_TRUE(stream->Read(Role::kUser, std::string(60, 'a'), 0, nullptr));
  const StreamPos before = stream->kv().next();
  const auto read = stream->Read(Role::kUser, std::string(60, 'a'), 0, nullptr);
  const auto asked = stream->Answer(std::string(60, 'a'), answer_);
  ASSERT_FALSE(read || asked);
  for (const Error& error : {read.error(), asked.error()}) {
    EXPECT_EQ(error.kind, ErrorKind::kLimit);
    EXPECT_THAT(error.remedy, HasSubstr("--enable-streaming"));
  }
  EXPECT_EQ(stream->kv().next(), before) << "nothing of it was read";

  answer_.max_tokens = -1;
  answer_.sampling.temperature = 5;  // an end of turn is unlikely, and some seed has none
  answer_.sampling.top_k = 0;
  answer_.sampling.top_p = 1;
  answer_.sampling.min_p = 0;
  for (answer_.sampling.seed = 0; answer_.sampling.seed < 20; ++answer_.sampling.seed) {
    const auto fork = stream->Fork().value();
    std::string said;
    answer_.on_text = [&](std::string_view text) { said += text; };
    const auto endless = fork->Answer("go on", answer_);
    if (endless) continue;
    EXPECT_EQ(endless.error().kind, ErrorKind::kLimit);
    EXPECT_NE(said, "");
    EXPECT_EQ(fork->stats().next, StreamPos(128)) << "the answer was closed within the context";
    return;
  }
  FAIL() << "no seed outgrew the context";
}

TEST_F(ChatStreamTest, ForksReachNobodyElse) {
  const auto ask = [&](ChatStream* parent, std::vector<std::string> questions) {
    std::map<std::string, std::string> answers;
    for (const std::string& question : questions) {
      const auto fork = parent->Fork().value();
      std::string said;
      for (int i = 0; i < 4; ++i) said += fork->Answer(question, answer_)->text + "|";
      answers[question] = said;
    }
    return answers;
  };
  log_.recall.decision = RecallDecision::kNone;
  const auto stream = OpenRecalling(&log_);
  ASSERT_TRUE(stream->Read(Role::kUser, std::string(200, 'k'), 0, nullptr));
  const size_t n_records = log_.durable.size();
  const StreamPos next = stream->kv().next();
  const auto one = ask(stream.get(), {"first?", "second?", "third?"});
  const auto other = ask(stream.get(), {"third?", "first?", "second?"});
  EXPECT_EQ(one, other);
  EXPECT_EQ(stream->kv().next(), next);
  EXPECT_EQ(log_.durable.size(), n_records);
  EXPECT_FALSE(stream->Fork().value()->ForgetAll());
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

TEST_F(ChatStreamTest, ForgettingEmptiesTheWindowAndReadsTheSystemPromptAgain) {
  const auto stream = OpenPlain(), fresh = OpenPlain();
  const StreamPos begun = stream->kv().next();
  ASSERT_TRUE(stream->Answer("hi?", answer_));
  const StreamPos next = stream->kv().next();
  const auto forgotten = stream->ForgetAll();
  ASSERT_TRUE(forgotten);
  EXPECT_TRUE(forgotten->done);
  EXPECT_EQ(stream->kv().next(), next + begun.value());
  EXPECT_EQ(stream->stats().evicted, next.value());
  EXPECT_EQ(stream->Answer("who?", answer_)->text, fresh->Answer("who?", answer_)->text);
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

TEST_F(ChatStreamTest, AResumedStreamGoesOnWhereItsJournalEnds) {
  { ASSERT_TRUE(OpenRecalling(&log_)->Answer("hello?", answer_)); }
  const int64_t end = static_cast<int64_t>(Ids(log_).size());
  const auto stream = OpenRecalling(&log_);
  const auto answer = stream->Answer("again?", answer_);
  ASSERT_TRUE(answer);
  EXPECT_GT(stream->kv().next().value(), end);
  EXPECT_EQ(static_cast<int64_t>(Ids(log_).size()), stream->kv().next().value());
  EXPECT_EQ(answer->turn, 4) << "after two turns and two system prompts";
}

TEST_F(ChatStreamTest, StreamsMayBeginFarOut) {
  options_.first = StreamPos(int64_t{1} << 40);
  const auto stream = OpenPlain();
  ASSERT_TRUE(stream->Answer(std::string(300, 'f'), answer_));
  EXPECT_EQ(stream->stats().tokens, stream->kv().next() - options_.first);
}

TEST_F(ChatStreamTest, ProgressOfLongTurnsIsTold) {
  std::vector<int64_t> done;
  options_.on_progress = [&](const Progress& progress) {
    EXPECT_STREQ(progress.stage, "read");
    done.push_back(progress.total - progress.done);
  };
  const auto stream = OpenPlain();
  ASSERT_TRUE(stream->Read(Role::kUser, std::string(100, 'p'), 0, nullptr));
  EXPECT_GE(done.size(), 6u);
  EXPECT_EQ(done.back(), 0);
}

}  // namespace
}  // namespace anabranch
