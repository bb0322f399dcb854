#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "stream/chat_stream_fixture.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

using testing::ChatStreamTest;
using testing::FakeMemoryLog;
using ::testing::HasSubstr;
using testing::kRecent;
using testing::TinyStreams;

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

TEST_F(ChatStreamTest, NothingIsEvictedBeforeItIsDurable) {
  const auto stream = OpenRecalling(&log_);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(
        stream->Read(Role::kUser, std::string(static_cast<size_t>(17 * i), 'z'), 0, nullptr));
    EXPECT_LE(stream->kv().window_begin(), stream->stats().journalled);
  }
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
  EXPECT_FALSE(stream->Fork().value()->Forget({.all = true}));
}

TEST_F(ChatStreamTest, ForgettingEmptiesTheWindowAndReadsTheSystemPromptAgain) {
  const auto stream = OpenPlain(), fresh = OpenPlain();
  const StreamPos begun = stream->kv().next();
  ASSERT_TRUE(stream->Answer("hi?", answer_));
  const StreamPos next = stream->kv().next();
  const auto forgotten = stream->Forget({.all = true});
  ASSERT_TRUE(forgotten);
  EXPECT_TRUE(forgotten->done);
  EXPECT_EQ(stream->kv().next(), next + begun.value());
  EXPECT_EQ(stream->stats().evicted, next.value());
  EXPECT_EQ(stream->Answer("who?", answer_)->text, fresh->Answer("who?", answer_)->text);
}

TEST_F(ChatStreamTest, AResumedStreamGoesOnWhereItsJournalEnds) {
  { ASSERT_TRUE(OpenRecalling(&log_)->Answer("hello?", answer_)); }
  const int64_t end = static_cast<int64_t>(Ids(log_).size());
  const auto stream = OpenRecalling(&log_);
  const auto answer = stream->Answer("again?", answer_);
  ASSERT_TRUE(answer);
  EXPECT_GT(stream->kv().next().value(), end);
  EXPECT_EQ(static_cast<int64_t>(Ids(log_).size()), stream->kv().next().value());
  EXPECT_EQ(answer->turn, 3) << "after the system prompt, a question and its answer";
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
