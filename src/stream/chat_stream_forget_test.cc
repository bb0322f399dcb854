// A live stream that forgets is the stream that would be resumed from a memory that had forgotten.
#include <random>

#include "memory/memory_test_support.h"
#include "stream/chat_stream_fixture.h"

namespace anabranch::testing {
namespace {

constexpr StreamSpan kEverything = {StreamPos(0), StreamPos(int64_t{1} << 40)};

// A stream over a memory file of its own.
class Session {
 public:
  Session(const TinyStreams& tiny, const StreamOptions& options) : tiny_(tiny), options_(options) {
    Reopen();
  }
  void Reopen() {
    stream.reset();
    memory.reset();
    memory = OpenMemory(dir_.File("m"), FakeEmbedder()).value();
    StreamParts parts = tiny_.parts();
    parts.memory = memory.get();
    stream =
        ChatStream::Open(parts, options_, memory->OpenStream(options_.name, "t").value()).value();
  }
  // What a closed stream's memory forgets.
  void ForgetClosed(const ForgetSelection& what) {
    stream.reset();
    ASSERT_TRUE(memory->Forget(options_.name, what, false));
    Reopen();
  }
  std::string TextOf(StreamSpan span) const {
    const std::vector<MemoryTurn> turns = memory->Show(options_.name, span).value();
    std::string text;
    for (const MemoryTurn& turn : turns) text += turn.text;
    return text;
  }
  // Of what the next token will see.
  std::string TextInContext() const {
    const KvContext& kv = stream->kv();
    return TextOf({kv.sizes().first, kv.pinned_end()}) + TextOf({kv.window_begin(), kv.next()});
  }

 private:
  const TinyStreams& tiny_;
  StreamOptions options_;
  TempDir dir_;

 public:
  std::unique_ptr<Memory> memory;
  std::unique_ptr<ChatStream> stream;
};

class ForgetTest : public ChatStreamTest {
 protected:
  ForgetTest() {
    options_.recall = RecallMode::kEvicted;
    options_.recall_tokens = 60;
  }
  static void Talk(ChatStream& stream, std::mt19937 random, int n_turns) {
    for (int i = 0; i < n_turns; ++i) {
      const std::string text =
          "line " + std::to_string(random() % 100) + (random() % 2 == 0 ? " is green." : " ended.");
      ASSERT_TRUE(stream.Read(i % 2 == 0 ? Role::kUser : Role::kAssistant, text, 0, nullptr));
    }
  }
};

constexpr const char* kSecret = "The secret word is xylophone, mind you.";

TEST_F(ForgetTest, AnySpanLeavesTheStreamThatAResumeFinds) {
  std::mt19937 random(11);
  int n_differ = 0;
  for (int i = 0; i < 24; ++i) {
    options_.keep = i % 2 == 0 ? 0 : -1;
    const auto talk = std::mt19937(random());
    const int n_turns = 4 + static_cast<int>(random() % 14);
    Session live(tiny_, options_), closed(tiny_, options_), untouched(tiny_, options_);
    for (const Session* session : {&live, &closed, &untouched}) {
      Talk(*session->stream, talk, n_turns);
    }
    const int64_t end = live.stream->kv().next().value();
    const auto begin = static_cast<int64_t>(random() % static_cast<uint64_t>(end));
    const StreamSpan span = {StreamPos(begin),
                             StreamPos(begin + 1 + static_cast<int64_t>(random() % 40))};
    SCOPED_TRACE(::testing::Message() << i << ": [" << begin << ", " << span.end.value() << ")");
    const ForgetResult forgotten = live.stream->Forget({.span = span}).value();
    closed.ForgetClosed({.span = span});

    const KvContext &got = live.stream->kv(), &want = closed.stream->kv();
    EXPECT_EQ(got.next(), want.next());
    EXPECT_EQ(got.window_begin(), want.window_begin());
    EXPECT_EQ(got.pinned_end(), want.pinned_end());
    EXPECT_EQ(got.sizes().first, want.sizes().first);
    EXPECT_EQ(live.stream->plan().n_pinned, closed.stream->plan().n_pinned);
    for (const StreamSpan& gone : forgotten.spans) {
      EXPECT_FALSE(gone.Overlaps({got.sizes().first, got.pinned_end()}));
      EXPECT_FALSE(gone.Overlaps({got.window_begin(), got.next()}));
    }
    for (const char* question : {"what was it?", "and the line before?"}) {
      const auto answer = live.stream->Answer(question, answer_).value();
      EXPECT_EQ(answer.text, closed.stream->Answer(question, answer_).value().text);
      n_differ += answer.text != untouched.stream->Answer(question, answer_).value().text ? 1 : 0;
    }
    EXPECT_EQ(live.stream->kv().next(), live.memory->List().value()[0].end);
    EXPECT_TRUE(live.memory->Verify().value().ok);
  }
  EXPECT_GT(n_differ, 24) << "forgetting must be seen in what is said";
}

TEST_F(ForgetTest, ATextInTheWindowLeavesItAndTheMemory) {
  options_.recent_size = 300;
  Session session(tiny_, options_);
  ChatStream& stream = *session.stream;
  ASSERT_TRUE(stream.Read(Role::kUser, "before it.", 0, nullptr));
  ASSERT_TRUE(stream.Read(Role::kUser, kSecret, 0, nullptr));
  ASSERT_TRUE(stream.Read(Role::kAssistant, "well noted.", 0, nullptr));
  const StreamPos next = stream.kv().next();
  ASSERT_NE(session.TextInContext().find("xylophone"), std::string::npos);
  EXPECT_FALSE(stream.WouldForget({.matching = "XYLOPHONE"}).value().done);
  ASSERT_NE(session.TextInContext().find("xylophone"), std::string::npos);

  const ForgetResult forgotten = stream.Forget({.matching = "XYLOPHONE"}).value();
  EXPECT_TRUE(forgotten.done);
  EXPECT_EQ(forgotten.grade, ForgetGrade::kErased);
  EXPECT_EQ(session.TextOf(kEverything).find("xylophone"), std::string::npos);
  EXPECT_EQ(stream.kv().next(), next);
  EXPECT_NE(session.TextInContext().find("well noted"), std::string::npos);
  EXPECT_EQ(session.TextInContext().find("before it"), std::string::npos);
  // What stands before it left the window with it, and is recalled like all that has.
  options_.recall_threshold = 0;
  const RecallResult recalled = stream.Recall("What was said before it?").value();
  for (const Passage& passage : recalled.passages) {
    EXPECT_EQ(passage.text.find("xylophone"), std::string::npos);
  }
  ASSERT_TRUE(stream.Answer("and now?", answer_));
}

TEST_F(ForgetTest, WhatIsNotThereChangesNothing) {
  Session session(tiny_, options_);
  ASSERT_TRUE(session.stream->Read(Role::kUser, kSecret, 0, nullptr));
  const StreamPos begin = session.stream->kv().window_begin();
  const ForgetResult forgotten = session.stream->Forget({.matching = "marzipan"}).value();
  EXPECT_TRUE(forgotten.done);
  EXPECT_EQ(forgotten.text_bytes, 0);
  EXPECT_EQ(session.stream->kv().window_begin(), begin);
  EXPECT_NE(session.TextInContext().find("xylophone"), std::string::npos);
}

TEST_F(ForgetTest, ASystemPromptThatIsForgottenIsNoLongerPinned) {
  options_.keep = -1;
  options_.system = "never say marzipan.";
  Session session(tiny_, options_);
  ASSERT_TRUE(session.stream->Read(Role::kUser, std::string(60, 'u'), 0, nullptr));
  ASSERT_GT(session.stream->plan().n_pinned, options_.start_size);
  ASSERT_TRUE(session.stream->Forget({.matching = "marzipan"}));
  EXPECT_EQ(session.stream->plan().n_pinned, options_.start_size);
  EXPECT_EQ(session.TextInContext().find("marzipan"), std::string::npos);
  ASSERT_TRUE(session.stream->Answer("and now?", answer_));
  // Once all is forgotten, there is no prompt that could be read again.
  ASSERT_TRUE(session.stream->Forget({.all = true}));
  EXPECT_EQ(session.TextOf(kEverything), "");
}

TEST_F(ForgetTest, WithoutAMemoryOnlyAllCanBeForgotten) {
  options_.recall = RecallMode::kNever;
  const auto stream = OpenPlain();
  EXPECT_EQ(stream->Forget({.matching = "kind"}).error().kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(stream->Forget({.all = true}));
}

// Nothing is forgotten in the window alone: it would come back with the next resume.
TEST_F(ForgetTest, AMemoryThatCannotBeWrittenForgetsNothing) {
  const auto memory = OpenMemory("", FakeEmbedder()).value();
  StreamParts parts = tiny_.parts();
  parts.memory = memory.get();
  const auto stream =
      ChatStream::Open(parts, options_, std::make_unique<FakeMemory>(&log_)).value();
  ASSERT_TRUE(stream->Read(Role::kUser, kSecret, 0, nullptr));
  log_.fail_sync = true;
  ASSERT_TRUE(stream->Read(Role::kUser, "one more line.", 0, nullptr));
  const StreamPos begin = stream->kv().window_begin();
  const auto forgotten = stream->Forget({.matching = "xylophone"});
  ASSERT_FALSE(forgotten);
  EXPECT_NE(forgotten.error().Message().find("the disk is full"), std::string::npos);
  EXPECT_EQ(stream->kv().window_begin(), begin);
}

}  // namespace
}  // namespace anabranch::testing
