// A stream that memory knows goes on as if its process had not ended.
#include "stream/chat_stream_fixture.h"
#include "stream/resume.h"

namespace anabranch::testing {
namespace {

class ResumeTest : public ChatStreamTest {
 protected:
  ResumeTest() { log_.recall = {}; }
  // The stream of log_, opened anew.
  std::unique_ptr<ChatStream> Reopen() { return OpenRecalling(&log_); }
  std::vector<TokenId> Footer(Role role) const {
    return TurnEncoder(tiny_.tokenizer(), tiny_.chat_template()).Footer(role);
  }
  // Drops the journal's tokens from position `end` on, as a kill between two writes would.
  void CutJournal(int64_t end) {
    while (!log_.durable.empty() && log_.durable.back().end().value() > end) {
      JournalRecord& last = log_.durable.back();
      if (last.begin.value() >= end) {
        log_.durable.pop_back();
        continue;
      }
      last.ids.resize(static_cast<size_t>(end - last.begin.value()));
      if (last.kind != RecordKind::kText) continue;
      last.token_ends.resize(last.ids.size());
      last.bytes.resize(last.token_ends.back());
    }
  }
};

TEST_F(ResumeTest, AnswersAsIfTheProcessHadNotEnded) {
  options_.recent_size = 400;
  const auto uninterrupted = OpenRecalling(&log_);
  ASSERT_TRUE(uninterrupted->Read(Role::kUser, "the cat sat on the mat and saw a dog", 0, nullptr));
  ASSERT_TRUE(uninterrupted->Read(Role::kAssistant, "that is what cats do", 0, nullptr));
  const FakeMemoryLog before = log_;
  const auto want = uninterrupted->Answer("what did the cat see?", answer_).value();
  log_ = before;
  const auto resumed = Reopen();
  EXPECT_EQ(resumed->start().turns, 3);
  EXPECT_EQ(resumed->start().reread, resumed->start().end.value());
  const auto got = resumed->Answer("what did the cat see?", answer_).value();
  EXPECT_EQ(got.text, want.text);
  EXPECT_EQ(got.window, want.window);
  EXPECT_EQ(got.turn, want.turn);
  EXPECT_EQ(resumed->stats().tokens, got.prompt_tokens + got.answer_tokens +
                                         static_cast<int64_t>(Footer(Role::kAssistant).size()));
}

TEST_F(ResumeTest, ReadsThePinnedPartAndTheWindowAgainAtTheirPositions) {
  {
    const auto stream = OpenRecalling(&log_);
    for (int i = 0; i < 30; ++i)
      ASSERT_TRUE(stream->Read(Role::kUser, "one more line of text", 0, nullptr));
  }
  const auto end = static_cast<int64_t>(Ids(log_).size());
  ASSERT_GT(end, 2 * kRecent);
  const size_t n_records = log_.durable.size();
  const auto stream = Reopen();
  EXPECT_EQ(log_.durable.size(), n_records);
  EXPECT_EQ(stream->kv().next().value(), end);
  EXPECT_EQ(stream->kv().window_begin().value(), end - kRecent);
  EXPECT_EQ(stream->kv().pinned_end().value(), options_.start_size);
  EXPECT_EQ(stream->start().reread, options_.start_size + kRecent);
  ASSERT_TRUE(stream->Answer("and now?", answer_));
}

TEST_F(ResumeTest, ColdReadsThePinnedPartAlone) {
  {
    const auto stream = OpenRecalling(&log_);
    for (int i = 0; i < 30; ++i)
      ASSERT_TRUE(stream->Read(Role::kUser, "one more line of text", 0, nullptr));
  }
  const StreamPos end = log_.durable.back().end();
  options_.resume = ResumeMode::kCold;
  const auto stream = Reopen();
  EXPECT_EQ(stream->kv().next(), end);
  EXPECT_EQ(stream->kv().window_begin(), end);
  EXPECT_EQ(stream->start().reread, options_.start_size);
  ASSERT_TRUE(stream->Answer("and now?", answer_));
  EXPECT_EQ(stream->kv().window_begin(), std::max(end, stream->kv().next() - kRecent));
}

TEST_F(ResumeTest, ATurnThatWasCutOffAnywhereIsClosedOnce) {
  {
    const auto stream = OpenRecalling(&log_);
    ASSERT_TRUE(stream->Read(Role::kUser, "hello there", 0, nullptr));
    ASSERT_TRUE(stream->Read(Role::kAssistant, "good day to you", 0, nullptr));
  }
  const FakeMemoryLog whole = log_;
  const std::vector<TokenId> ids = Ids(whole);
  const std::vector<TokenId> footer = Footer(Role::kAssistant);
  for (auto end = static_cast<int64_t>(ids.size()); end > 3; --end) {
    log_ = whole;
    CutJournal(end);
    Reopen();
    const std::vector<TokenId> closed = Ids(log_);
    ASSERT_GE(closed.size(), static_cast<size_t>(end));
    EXPECT_TRUE(std::equal(footer.rbegin(), footer.rend(), closed.rbegin())) << end;
    // What was there of the footer is not said twice.
    EXPECT_EQ(closed.size() > static_cast<size_t>(end),
              log_.durable.back().kind == RecordKind::kInterrupted)
        << end;
    EXPECT_LE(closed.size(), static_cast<size_t>(end) + footer.size());
    Reopen();
    EXPECT_EQ(Ids(log_), closed) << end;
  }
}

TEST_F(ResumeTest, KeepsTheSystemPromptThatTheStreamBeganWith) {
  options_.keep = -1;
  int64_t n_pinned = 0;
  {
    const auto stream = OpenRecalling(&log_);
    n_pinned = stream->plan().n_pinned;
    ASSERT_TRUE(stream->Read(Role::kUser, "hello", 0, nullptr));
  }
  const std::vector<std::string> texts = Texts(log_);
  EXPECT_EQ(Reopen()->start().notice, "");
  options_.system = "";
  EXPECT_EQ(Reopen()->start().notice, "");
  options_.system = "be cruel to everyone";
  const auto stream = Reopen();
  EXPECT_NE(stream->start().notice.find("be kind"), std::string::npos);
  EXPECT_NE(stream->start().notice.find("be cruel"), std::string::npos);
  EXPECT_EQ(stream->plan().n_pinned, n_pinned);
  EXPECT_EQ(Texts(log_), texts);
}

TEST_F(ResumeTest, TheWindowBeginsBehindWhatIsMissing) {
  {
    const auto stream = OpenRecalling(&log_);
    for (int i = 0; i < 6; ++i)
      ASSERT_TRUE(stream->Read(Role::kUser, "one more line of text", 0, nullptr));
  }
  // The text of turn 4: no fake memory forgets, so ids stand for their number.
  StreamPos behind;
  for (JournalRecord& record : log_.durable) {
    if (record.turn != 4 || record.kind != RecordKind::kText) continue;
    record.kind = RecordKind::kForgotten;
    record.bytes.clear();
    record.token_ends.clear();
    behind = record.end();
  }
  const auto stream = Reopen();
  EXPECT_EQ(stream->kv().window_begin(), behind);
  EXPECT_EQ(stream->kv().next(), log_.durable.back().end());
}

TEST_F(ResumeTest, AStreamThatWasForgottenBeginsAnew) {
  { ASSERT_TRUE(OpenRecalling(&log_)->Read(Role::kUser, "hello there", 0, nullptr)); }
  for (JournalRecord& record : log_.durable) {
    record.kind = RecordKind::kForgotten;
    record.bytes.clear();
    record.token_ends.clear();
  }
  const StreamPos end = log_.durable.back().end();
  const auto stream = Reopen();
  EXPECT_EQ(stream->kv().sizes().first, end);
  EXPECT_EQ(Texts(log_).back(), "be kind");
}

TEST_F(ResumeTest, ADenseStreamThatOutgrowsTheModelIsRefusedAndColdIsNot) {
  {
    const auto stream = OpenRecalling(&log_);
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(
          stream->Read(Role::kUser, "one more line of text, and then some more of it", 0, nullptr));
    }
  }
  ASSERT_GT(log_.durable.back().end().value(), 1024);
  options_.streaming = false;
  options_.recent_size.reset();
  const auto refused =
      ChatStream::Open(tiny_.parts(), options_, std::make_unique<FakeMemory>(&log_));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kLimit);
  options_.resume = ResumeMode::kCold;
  ASSERT_TRUE(Reopen()->Answer("and now?", answer_));
}

TEST_F(ResumeTest, TheSourceOfATurnIsKeptWithTheByteThatWasRead) {
  {
    const auto stream = OpenRecalling(&log_);
    stream->SetSource("file turn 3", 100);
    ASSERT_TRUE(stream->Read(Role::kUser, "hello there", 0, nullptr));
    stream->SetSource("", 0);
    ASSERT_TRUE(stream->Read(Role::kUser, "not from a file", 0, nullptr));
  }
  EXPECT_EQ(Reopen()->start().source, "file turn 3 byte 111");
  EXPECT_EQ(log_.durable.back().source_cursor, "");
  {
    const auto stream = Reopen();
    stream->SetSource("file turn 4", 0);
    ASSERT_TRUE(stream->Answer("hello", answer_));
  }
  EXPECT_EQ(Reopen()->start().source, "file turn 4 byte 5");
}

// Wherever reading is interrupted, what is left of the text and what was read make the whole.
TEST_F(ResumeTest, ATurnThatWasInterruptedIsGoneOnWithAtAWholeCharacter) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "日本é𐍈 the cat ";
  std::atomic<bool> cancel = false;
  int64_t batches = 0, stop_after = 0;
  options_.on_progress = [&](const Progress&) { cancel = ++batches >= stop_after; };
  for (stop_after = 1; stop_after < 12; ++stop_after) {
    log_ = {};
    cancel = false;
    batches = 0;
    {
      const auto stream = OpenRecalling(&log_);
      stream->SetSource("file turn 0", 0);
      const Result<void> read = stream->Read(Role::kUser, text, 0, &cancel);
      ASSERT_FALSE(read);
      ASSERT_EQ(read.error().kind, ErrorKind::kInterrupted);
    }
    const std::string kept = Texts(log_).back();
    ASSERT_TRUE(text.starts_with(kept));
    ASSERT_NE(static_cast<unsigned char>(text[kept.size()]) & 0xC0, 0x80) << kept.size();
    EXPECT_EQ(Reopen()->start().source, "file turn 0 byte " + std::to_string(kept.size()));
  }
}

}  // namespace
}  // namespace anabranch::testing
