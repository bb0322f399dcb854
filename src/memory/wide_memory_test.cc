#include "memory/wide_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

Passage MakePassage(const char* stream, int64_t begin, int64_t size, float score) {
  Passage passage;
  passage.stream = stream;
  passage.span = {StreamPos(begin), StreamPos(begin + size)};
  passage.score = score;
  return passage;
}

RecallResult Used(float best_score, float threshold, std::vector<Passage> passages) {
  RecallResult result;
  result.decision = RecallDecision::kUsed;
  result.best_score = best_score;
  result.threshold = threshold;
  result.passages = std::move(passages);
  return result;
}

TEST(MergeRecalls, TakesTheBestThatFitAndPutsTheOwnLast) {
  RecallResult silent;
  silent.decision = RecallDecision::kBelowThreshold;
  silent.best_score = 2;
  const RecallResult merged = MergeRecalls(
      {Used(.7f, .3f, {MakePassage("own", 0, 40, .5f), MakePassage("own", 90, 40, .7f)}), silent,
       Used(.9f, .3f, {MakePassage("notes", 7, 40, .6f), MakePassage("notes", 80, 60, .9f)})},
      145);
  ASSERT_EQ(merged.passages.size(), 3u);  // 60 and 40 and 40; the last 40 does not fit
  EXPECT_EQ(merged.passages[0].score, .6f);
  EXPECT_EQ(merged.passages[1].score, .9f);
  EXPECT_EQ(merged.passages[2].stream, "own");
  EXPECT_EQ(merged.passages[2].score, .7f);
  EXPECT_EQ(merged.best_score, .9f);
}

// A large library is near to everything: what it finds must beat what it finds for any question.
TEST(MergeRecalls, AScoreCountsFromTheThresholdOfItsStream) {
  const RecallResult merged = MergeRecalls({Used(.5f, .35f, {MakePassage("own", 0, 40, .5f)}),
                                            Used(.6f, .58f, {MakePassage("library", 0, 40, .6f)})},
                                           50);
  ASSERT_EQ(merged.passages.size(), 1u);
  EXPECT_EQ(merged.passages[0].stream, "own");
  EXPECT_EQ(merged.threshold, .35f);
}

TEST(MergeRecalls, WhatNobodyKnowsIsNotUsed) {
  RecallResult own, other;
  own.decision = RecallDecision::kNone;
  other.decision = RecallDecision::kBelowThreshold;
  other.rejected = {MakePassage("other", 0, 4, .1f)};
  own.queries = {"asked"};
  const RecallResult merged = MergeRecalls({own, other}, 400);
  EXPECT_EQ(merged.decision, RecallDecision::kBelowThreshold);
  EXPECT_EQ(merged.rejected.size(), 1u);
  EXPECT_EQ(merged.queries, own.queries);
}

constexpr const char* kFact = "The blue submarine dives at the marzipan harbour of Lubeck.";
constexpr const char* kQuestion = "Where does the blue submarine dive?";

class WideMemoryTest : public ::testing::Test {
 protected:
  WideMemoryTest() : memory_(Open()) {
    Say("notes", {kFact, "So it is, of course."});
    Say("diary", {"The diary knows a red submarine that never dives.", "So they say."});
    own_ = memory_->OpenStream("own", "t").value();
  }
  std::unique_ptr<Memory> Open() { return OpenMemory(dir_.File("m"), FakeEmbedder()).value(); }
  void Say(const std::string& stream, const std::vector<std::string>& turns) {
    const auto opened = memory_->OpenStream(stream, "another tokenizer").value();
    Writer writer(opened.get());
    for (const std::string& text : turns) writer.Say(Role::kUser, text);
  }
  std::unique_ptr<WideMemory> Wide(std::vector<std::string> names) {
    WideMemory::Readers readers;
    for (const std::string& name : names) readers.push_back(memory_->OpenReader(name).value());
    return std::make_unique<WideMemory>(std::move(own_), std::move(readers));
  }
  static RecallResult Recall(StreamMemory& memory, int32_t recall_tokens = 400) {
    RecallQuery query;
    query.turn_text = kQuestion;
    query.threshold = .2f;
    query.recall_tokens = recall_tokens;
    // What is said to the own stream is all in its context; nothing of another stream is.
    query.window_begin = StreamPos(0);
    query.exclude = {memory.journal_end(), memory.journal_end()};
    return memory.Recall(query).value();
  }
  static std::string Text(const RecallResult& result) {
    std::string text;
    for (const Passage& passage : result.passages) text += passage.stream + ": " + passage.text;
    return text;
  }

  TempDir dir_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<StreamMemory> own_;
};

TEST_F(WideMemoryTest, RecallsFromTheStreamsThatAreNamedAndFromNoOther) {
  EXPECT_TRUE(Recall(*own_).passages.empty());
  const auto wide = Wide({"notes"});
  const RecallResult found = Recall(*wide);
  ASSERT_EQ(found.decision, RecallDecision::kUsed);
  EXPECT_THAT(Text(found), HasSubstr("notes: "));
  EXPECT_THAT(Text(found), HasSubstr("marzipan harbour"));
  EXPECT_EQ(Text(found).find("diary"), std::string::npos);
  EXPECT_EQ(memory_->OpenReader("none").error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(memory_->OpenReader("none").error().Message(), HasSubstr("diary, notes, own"));
}

TEST_F(WideMemoryTest, TheOwnStreamScoresAsIfItWereAlone) {
  Writer writer(own_.get());
  for (const char* text : {"A submarine is blue where the water is deep.", "That is well known."}) {
    writer.Say(Role::kUser, text);
  }
  RecallQuery query;
  query.turn_text = kQuestion;
  query.mode = RecallMode::kAlways;
  const RecallResult alone = own_->Recall(query).value();
  ASSERT_EQ(alone.passages.size(), 1u);
  const RecallResult wide = Wide({"notes", "diary"})->Recall(query).value();
  ASSERT_GT(wide.passages.size(), 1u);
  EXPECT_EQ(wide.passages.back().stream, "own");
  EXPECT_EQ(wide.passages.back().score, alone.passages[0].score);
  EXPECT_EQ(wide.passages.back().lexical, alone.passages[0].lexical);
  EXPECT_EQ(wide.passages.back().text, alone.passages[0].text);
}

TEST_F(WideMemoryTest, TheTokensOfARecallAreShared) {
  const auto wide = Wide({"notes", "diary"});
  const auto tokens = [&](int32_t most) {
    int64_t n = 0;
    for (const Passage& passage : Recall(*wide, most).passages) n += passage.span.size();
    return n;
  };
  const int64_t all = tokens(400);
  for (int32_t most = 20; most < all; most += 10) EXPECT_LE(tokens(most), most);
  EXPECT_GT(all, 40);
}

TEST_F(WideMemoryTest, AForkRecallsFromThemToo) {
  const auto wide = Wide({"notes"});
  const auto fork = wide->Fork().value();
  EXPECT_EQ(Text(Recall(*fork)), Text(Recall(*wide)));
}

// As another process would be.
TEST_F(WideMemoryTest, AStreamThatIsBeingWrittenIsReadAsItIsNow) {
  const auto wide = Wide({"notes"});
  const auto elsewhere = Open();
  const auto notes = elsewhere->OpenStream("notes", "another tokenizer").value();  // no lock held
  Writer writer(notes.get());
  EXPECT_THAT(Text(Recall(*wide)), HasSubstr("marzipan harbour"));
  writer.Say(Role::kUser, "The blue submarine dives in the evening as well, at the old pier.");
  EXPECT_THAT(Text(Recall(*wide)), HasSubstr("old pier"));  // not indexed yet
  writer.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  EXPECT_THAT(Text(Recall(*wide)), HasSubstr("old pier"));
  ASSERT_TRUE(elsewhere->Forget("notes", {.matching = "marzipan"}, false));
  const RecallResult rest = Recall(*wide);
  EXPECT_EQ(Text(rest).find("marzipan"), std::string::npos);
  EXPECT_THAT(Text(rest), HasSubstr("old pier"));
  EXPECT_EQ(rest.fault, "");
}

TEST_F(WideMemoryTest, WhatIsForgottenInThisMemoryIsNotRecalledFromIt) {
  const auto wide = Wide({"notes"});
  ASSERT_TRUE(memory_->Forget("notes", {.all = true}, false));
  EXPECT_TRUE(Recall(*wide).passages.empty());
}

TEST_F(WideMemoryTest, AStreamThatFailsIsLeftOutAndNamed) {
  class Failing final : public StreamReader {
   public:
    const std::string& name() const override { return name_; }
    Result<RecallResult> Recall(const RecallQuery&) override {
      return Fail(ErrorKind::kCorrupt, "the file", "is damaged");
    }

   private:
    std::string name_ = "broken";
  };
  WideMemory::Readers readers = {std::make_shared<Failing>(), memory_->OpenReader("notes").value()};
  WideMemory wide(std::move(own_), std::move(readers));
  const RecallResult found = Recall(wide);
  EXPECT_THAT(Text(found), HasSubstr("marzipan"));
  EXPECT_EQ(found.fault, "stream 'broken': the file: is damaged");
}

TEST_F(WideMemoryTest, EverythingElseIsTheOwnStreams) {
  Writer(own_.get()).Say(Role::kUser, kFact);
  const StreamPos end = own_->journal_end(), indexed = own_->indexed_end();
  const auto wide = Wide({"notes"});
  EXPECT_EQ(wide->journal_end(), end);
  EXPECT_EQ(wide->indexed_end(), indexed);
  EXPECT_EQ(wide->next_turn(), 1);
  EXPECT_EQ(wide->notice(), "");
  EXPECT_EQ(wide->LastCursor().value(), "");
  std::string text;
  ASSERT_TRUE(wide->Read({StreamPos(0), end}, [&](const StoredRecord& stored) -> Result<void> {
    text += stored.record.bytes;
    return {};
  }));
  EXPECT_EQ(text, kFact);
  Writer writer(wide.get());
  writer.Say(Role::kAssistant, "So it is, of course.");
  EXPECT_EQ(wide->next_turn(), 2);
}

}  // namespace
}  // namespace anabranch
