// Memory end to end, on the embedded store.
#include "memory/memory.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "memory/memory_test_support.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

constexpr const char* kTokenizer = "five-bytes";
constexpr StreamPos kFarAhead{1 << 30};

// A memory with one stream and its writer.
struct Session {
  explicit Session(const std::string& location = "", const std::string& name = "s")
      : memory(OpenMemory(location, FakeEmbedder()).value()),
        stream(memory->OpenStream(name, kTokenizer).value()),
        writer(stream.get()) {}

  RecallResult Ask(std::string_view turn, RecallQuery query = {}) {
    query.turn_text = turn;
    if (query.window_begin.value() == 0) query.window_begin = kFarAhead;
    return stream->Recall(query).value();
  }

  std::unique_ptr<Memory> memory;
  std::unique_ptr<StreamMemory> stream;
  Writer writer;
};

bool Holds(const RecallResult& result, std::string_view text) {
  return std::any_of(result.passages.begin(), result.passages.end(), [&](const Passage& passage) {
    return passage.text.find(text) != std::string::npos;
  });
}

// Prose without the words of the questions below.
std::string Prose(int sentences, int seed) {
  constexpr const char* kWords[] = {"river",  "stone",  "walked", "slowly", "across",  "meadow",
                                    "cloud",  "above",  "silent", "forest", "evening", "lantern",
                                    "bridge", "winter", "garden", "whisper"};
  std::string text;
  uint32_t state = static_cast<uint32_t>(seed) * 2654435761u + 1;
  for (int s = 0; s < sentences; ++s) {
    for (int w = 0; w < 10; ++w) {
      state = state * 1664525u + 1013904223u;
      std::string word = kWords[state >> 28];
      if (w == 0) word[0] = static_cast<char>(word[0] - 'a' + 'A');
      text += word + (w == 9 ? ". " : " ");
    }
  }
  return text;
}

constexpr const char* kNeedle =
    "The secret password of the blue submarine is marzipan, as everybody on board knows.";
constexpr const char* kQuestion = "What is the secret password of the blue submarine?";

TEST(Memory, RecallsASentenceWithItsNeighboursAndItsPlace) {
  Session s;
  s.writer.Say(Role::kUser, Prose(30, 1));
  const StreamSpan said = s.writer.Say(Role::kUser, Prose(5, 2) + kNeedle + " " + Prose(5, 3));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  const RecallResult result = s.Ask(kQuestion, {.chunk_size = 100});
  ASSERT_EQ(result.decision, RecallDecision::kUsed);
  ASSERT_TRUE(Holds(result, kNeedle));
  int64_t tokens = 0;
  for (const Passage& passage : result.passages) {
    EXPECT_LE(passage.span.size(), 100);
    tokens += passage.span.size();
    if (passage.text.find(kNeedle) == std::string::npos) continue;
    EXPECT_EQ(passage.role, Role::kUser);
    EXPECT_EQ(passage.turn, 1);
    EXPECT_EQ(passage.time_ms, 1000);
    EXPECT_TRUE(said.begin <= passage.span.begin && passage.span.end <= said.end);
    EXPECT_GT(passage.text.size(), std::string(kNeedle).size());
    EXPECT_GT(passage.score, result.threshold);
    EXPECT_GT(passage.lexical, 0.6f);
  }
  EXPECT_LE(tokens, 400);
  EXPECT_TRUE(std::is_sorted(
      result.passages.begin(), result.passages.end(),
      [](const Passage& a, const Passage& b) { return a.span.begin < b.span.begin; }));
}

TEST(Memory, SmallTalkAndUnrelatedQuestionsRecallNothing) {
  Session s;
  s.writer.Say(Role::kUser, Prose(30, 1) + kNeedle);
  s.writer.Say(Role::kUser, "Thanks a lot, my friend, that was helpful indeed today.");
  EXPECT_EQ(s.Ask("Thanks a lot, that is all for now.").decision, RecallDecision::kBelowThreshold);
  EXPECT_EQ(s.Ask("Good morning!").decision, RecallDecision::kBelowThreshold);
  const RecallResult result = s.Ask("Which vitamins are in a banana?");
  EXPECT_EQ(result.decision, RecallDecision::kBelowThreshold);
  EXPECT_TRUE(result.passages.empty());
  EXPECT_FALSE(result.rejected.empty());
}

TEST(Memory, NothingIsRecalledOfNothingOrInModeNever) {
  Session s;
  EXPECT_EQ(s.Ask(kQuestion).decision, RecallDecision::kNone);
  s.writer.Say(Role::kUser, kNeedle);
  EXPECT_EQ(s.Ask(kQuestion, {.mode = RecallMode::kNever}).decision, RecallDecision::kOff);
}

TEST(Memory, OnlyWhatLeftTheWindowIsRecalledUnlessAlways) {
  Session s;
  s.writer.Say(Role::kUser, Prose(10, 1));
  const StreamSpan said = s.writer.Say(Role::kUser, kNeedle);
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  EXPECT_FALSE(Holds(s.Ask(kQuestion, {.window_begin = said.begin}), kNeedle));
  EXPECT_FALSE(Holds(s.Ask(kQuestion, {.pinned = {StreamPos(0), said.end}}), kNeedle));
  EXPECT_TRUE(Holds(s.Ask(kQuestion, {.window_begin = said.begin + 8}), kNeedle));
  EXPECT_TRUE(
      Holds(s.Ask(kQuestion, {.mode = RecallMode::kAlways, .window_begin = said.begin}), kNeedle));
}

TEST(Memory, TheCurrentTurnNeverAnswersItself) {
  Session s;
  s.writer.Say(Role::kUser, Prose(10, 1));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  const StreamSpan turn = s.writer.Say(Role::kUser, std::string(kNeedle) + " " + kQuestion);
  EXPECT_FALSE(Holds(s.Ask(kQuestion, {.mode = RecallMode::kAlways, .exclude = turn}), kNeedle));
}

TEST(Memory, WhatWasSaidJustBeforeTheCurrentTurnBySameRoleIsRecalled) {
  Session s;
  s.writer.Say(Role::kUser, std::string(kNeedle) + " Remember it.");
  const StreamSpan turn = s.writer.Say(Role::kUser, std::string("So now then. ") + kQuestion);
  EXPECT_TRUE(Holds(s.Ask(kQuestion, {.mode = RecallMode::kAlways, .exclude = turn}), kNeedle));
}

TEST(Memory, AskingAgainAfterAWrongAnswerStillRecallsTheNeedle) {
  Session s;
  s.writer.Say(Role::kUser, Prose(20, 1) + kNeedle + " " + Prose(20, 2));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  for (int i = 0; i < 6; ++i) {
    s.writer.Say(Role::kUser, kQuestion);
    s.writer.Say(Role::kAssistant, "The secret password of the blue submarine is cucumber number " +
                                       std::to_string(i) + ".");
    s.writer.Say(Role::kUser, "Tell me the secret password of the blue submarine.");
    s.writer.Say(Role::kAssistant, "I am sorry, this I do not know at all.");
  }
  const RecallResult result = s.Ask(kQuestion, {.chunk_size = 40, .recall_tokens = 40});
  ASSERT_EQ(result.decision, RecallDecision::kUsed);
  EXPECT_TRUE(Holds(result, kNeedle));
}

TEST(Memory, ANeedleCutByATurnBorderIsFoundWhole) {
  const std::string needle = kNeedle;
  Session s;
  s.writer.Say(Role::kUser, Prose(20, 1) + needle.substr(0, 44));
  s.writer.Say(Role::kUser, needle.substr(45) + " " + Prose(20, 2));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  EXPECT_TRUE(Holds(s.Ask(kQuestion), needle.substr(0, 44) + "\n" + needle.substr(45)));
}

TEST(Memory, ANeedleCutByAnAnswerBringsItsOtherHalfAlong) {
  const std::string needle = kNeedle;
  Session s;
  s.writer.Say(Role::kUser, Prose(20, 1) + needle.substr(0, 44));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  s.writer.Say(Role::kUser, needle.substr(45) + " " + Prose(20, 2));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  const RecallResult result = s.Ask(kQuestion);
  EXPECT_TRUE(Holds(result, needle.substr(0, 44)));
  EXPECT_TRUE(Holds(result, needle.substr(45)));
}

TEST(Memory, AShortQuestionIsAskedWithTheTurnBefore) {
  Session s;
  s.writer.Say(Role::kUser, Prose(20, 1) + kNeedle + " " + Prose(20, 2));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  EXPECT_EQ(s.Ask("And what is it?").decision, RecallDecision::kBelowThreshold);
  EXPECT_TRUE(Holds(
      s.Ask("And what is it?",
            {.previous_user_turn = "The blue submarine has a secret password for everybody."}),
      kNeedle));
}

TEST(Memory, TheSameTextIsRecalledOnce) {
  Session s;
  for (int i = 0; i < 5; ++i) {
    s.writer.Say(Role::kUser, kNeedle);
    s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  }
  int found = 0;
  for (const Passage& passage : s.Ask(kQuestion, {.chunk_size = 30}).passages) {
    found += passage.text.find(kNeedle) != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(found, 1);
}

TEST(Memory, ASentenceLargerThanTheBudgetIsCutToWholeCharacters) {
  Session s;
  s.writer.Say(Role::kUser, "Die geheime Losung lautet Süßigkeitenübergrößenträger für alle.");
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  for (int32_t tokens = 1; tokens < 16; ++tokens) {
    const RecallResult result = s.Ask("Wie lautet die geheime Losung für alle?",
                                      {.recall_tokens = tokens, .threshold = 0.1f});
    ASSERT_EQ(result.passages.size(), 1u);
    EXPECT_LE(result.passages[0].span.size(), tokens);
    EXPECT_TRUE(IsValidUtf8(result.passages[0].text));
  }
}

TEST(Memory, RecordsMustContinueTheStream) {
  Session s;
  s.writer.Say(Role::kUser, kNeedle);
  JournalRecord record;
  record.turn = 1;
  record.kind = RecordKind::kTemplate;
  record.ids = {TokenId(1)};
  record.begin = s.writer.pos() + 1;
  EXPECT_EQ(s.stream->Append(record).error().kind, ErrorKind::kInvalid);
  record.begin = s.writer.pos();
  record.bytes = "x";
  EXPECT_EQ(s.stream->Append(record).error().kind, ErrorKind::kInvalid);
  record.bytes.clear();
  EXPECT_TRUE(s.stream->Append(record));
  EXPECT_EQ(s.stream->journal_end(), s.writer.pos());  // durable only after Sync
  EXPECT_TRUE(s.stream->Sync());
  EXPECT_EQ(s.stream->journal_end(), s.writer.pos() + 1);
}

TEST(Memory, AForkReadsTheStreamAndReachesNobody) {
  TempDir dir;
  Session s(dir.File("m"));
  s.writer.Say(Role::kUser, Prose(20, 1) + kNeedle + " " + Prose(3, 2));
  const int64_t turns = s.stream->next_turn();
  {
    const auto fork = s.stream->Fork().value();
    EXPECT_EQ(fork->journal_end(), s.stream->journal_end());
    EXPECT_EQ(fork->next_turn(), turns);
    Writer writer(fork.get());
    writer.Say(Role::kAssistant, "Well noted, my friend.");
    writer.Say(Role::kUser, "The green helicopter flies to Montevideo every Tuesday at noon.");
    writer.Say(Role::kAssistant, "Well noted, my friend.");
    RecallQuery query;
    query.mode = RecallMode::kAlways;
    query.turn_text = kQuestion;
    EXPECT_TRUE(Holds(fork->Recall(query).value(), kNeedle));
    query.turn_text = "Where does the green helicopter fly every Tuesday?";
    EXPECT_TRUE(Holds(fork->Recall(query).value(), "Montevideo"));
    const auto grandchild = fork->Fork().value();
    EXPECT_TRUE(Holds(grandchild->Recall(query).value(), "Montevideo"));
    EXPECT_FALSE(Holds(s.stream->Recall(query).value(), "Montevideo"));
  }
  EXPECT_EQ(s.stream->next_turn(), turns);
  EXPECT_EQ(s.stream->journal_end(), s.writer.pos());
  const VerifyReport report = s.memory->Verify().value();
  EXPECT_TRUE(report.ok) << report.faults[0];
}

TEST(Memory, OutlivesTheProcessThatWroteIt) {
  TempDir dir;
  StreamPos end, indexed;
  {
    Session s(dir.File("m"));
    s.writer.Say(Role::kUser, Prose(20, 1) + kNeedle);
    end = s.stream->journal_end();
    indexed = s.stream->indexed_end();
  }
  Session s("sqlite:" + dir.File("m"));
  EXPECT_EQ(s.stream->journal_end(), end);
  EXPECT_EQ(s.stream->indexed_end(), indexed);
  EXPECT_EQ(s.stream->next_turn(), 1);
  EXPECT_TRUE(Holds(s.Ask(kQuestion), kNeedle));
  s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  EXPECT_TRUE(Holds(s.Ask(kQuestion), kNeedle));
}

TEST(Memory, AStreamHasOneWriterAndTheErrorNamesIt) {
  TempDir dir;
  for (const std::string& location : {std::string(), dir.File("m")}) {
    Session s(location);
    const auto second = s.memory->OpenStream("s", kTokenizer);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
    EXPECT_TRUE(s.memory->OpenStream("other", kTokenizer));
  }
  Session s(dir.File("m"));
  const auto other_memory = OpenMemory(dir.File("m"), FakeEmbedder()).value();
  const auto second = other_memory->OpenStream("s", kTokenizer);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().fault.find(std::to_string(getpid())), std::string::npos);
  EXPECT_EQ(other_memory->List().value().size(), 2u);  // readers are free
  s.stream.reset();
  EXPECT_TRUE(other_memory->OpenStream("s", kTokenizer));
}

TEST(Memory, AnotherEmbedderOrTokenizerIsRefused) {
  TempDir dir;
  { Session s(dir.File("m")); }
  const auto other = OpenMemory(dir.File("m"), FakeEmbedder(32));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kInvalid);
  const auto memory = OpenMemory(dir.File("m"), FakeEmbedder()).value();
  EXPECT_EQ(memory->OpenStream("s", "another").error().kind, ErrorKind::kInvalid);
}

TEST(Memory, WithoutAnEmbedderItListsShowsAndForgets) {
  TempDir dir;
  {
    Session s(dir.File("m"));
    s.writer.Say(Role::kUser, Prose(3, 1) + kNeedle);
    s.writer.Say(Role::kAssistant, "Well noted, my friend.");
  }
  const auto memory = OpenMemory(dir.File("m"), {}).value();
  const auto infos = memory->List().value();
  ASSERT_EQ(infos.size(), 1u);
  EXPECT_EQ(infos[0].turns, 2);
  EXPECT_EQ(infos[0].units, 4);
  const auto turns = memory->Show("s", {StreamPos(0), infos[0].end}).value();
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].text, Prose(3, 1) + kNeedle);
  EXPECT_EQ(turns[1].role, Role::kAssistant);
  EXPECT_FALSE(memory->Search("s", kQuestion, 3));
  EXPECT_EQ(memory->Forget("s", {.matching = "MARZIPAN"}, false).value().units, 1);
  EXPECT_EQ(memory->Show("nobody", {}).error().kind, ErrorKind::kNotFound);
}

TEST(Memory, SearchFindsUnitsOfAllStreamsBestFirst) {
  Session s;
  s.writer.Say(Role::kUser, Prose(10, 1) + kNeedle);
  const auto other = s.memory->OpenStream("other", kTokenizer).value();
  Writer(other.get())
      .Say(Role::kUser, "The blue harbour of the northern town has a grey lighthouse now.");
  const auto found = s.memory->Search("", kQuestion, 2).value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].text, kNeedle);
  EXPECT_EQ(found[1].stream, "other");
}

TEST(Memory, TemplateTextIsNotTextAndFullAnswersAreKept) {
  Session s;
  s.writer.Say(Role::kUser, kQuestion);
  s.writer.Say(Role::kAssistant, std::string("I think so. ") + kNeedle);
  const auto turns = s.memory->Show("s", {StreamPos(0), s.writer.pos()}).value();
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].text, kQuestion);
  EXPECT_EQ(turns[1].text, std::string("I think so. ") + kNeedle);
}

}  // namespace
}  // namespace anabranch
