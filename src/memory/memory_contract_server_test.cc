// What every memory promises, wherever it lives: the same tests on SQLite, PostgreSQL and Chroma.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <thread>

#include "memory/contract_fixture.h"
#include "memory/journal_store.h"

namespace anabranch {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST_P(Contract, WhatAnEarlierProcessWasToldIsRecalled) {
  SayFactsEarlier(&store_);
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  const RecallResult result = Recall(*stream, kQuestion);
  EXPECT_EQ(result.decision, RecallDecision::kUsed);
  EXPECT_THAT(Text(result), HasSubstr("leaves at seven"));
  EXPECT_EQ(result.fault, "");
  EXPECT_THAT(memory->Search("s", "green parrots", 1).value().at(0).text, HasSubstr("parrots"));
}

TEST_P(Contract, WhatWasSaidIsRecalled) {
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  Writer writer(stream.get());
  SayFacts(&writer);
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  const RecallResult result = Recall(*stream, kQuestion);
  EXPECT_EQ(result.decision, RecallDecision::kUsed);
  EXPECT_THAT(Text(result), HasSubstr("leaves at seven"));
  EXPECT_EQ(result.fault, "");
}

TEST_P(Contract, AllStoresRecallWhatSqliteRecalls) {
  const auto reference = OpenMemory("", FakeEmbedder()).value();
  const auto expected = Stream(*reference, "s");
  auto memory = Open();
  auto stream = Stream(*memory, "s");
  std::mt19937 random(7);
  Writer a(expected.get()), b(stream.get());
  for (int i = 0; i < 150; ++i) {
    std::string text = kFacts[random() % 5];
    text += " It was the day number " + std::to_string(random() % 1000) + " of that year.";
    if (random() % 4 == 0) text += " What do you think of it, number " + std::to_string(i) + "?";
    const Role role = i % 2 == 0 ? Role::kUser : Role::kAssistant;
    a.Say(role, text);
    b.Say(role, text);
  }
  ASSERT_TRUE(Settles(*stream, b.pos() - 60));
  for (const bool opened_again : {false, true}) {
    if (opened_again) {
      stream.reset();
      memory.reset();
      memory = Open();
      stream = Stream(*memory, "s");
    }
    for (const char* question : {kQuestion, "What is the password of the telescope control room?",
                                 "Who keeps parrots?", "What happened on day number 512?"}) {
      const RecallResult want = Recall(*expected, question), got = Recall(*stream, question);
      EXPECT_EQ(got.decision, want.decision) << question;
      // Of many that are equally far behind, each store finds others first.
      EXPECT_EQ(Best(got).text, Best(want).text) << question;
      EXPECT_NEAR(got.best_score, want.best_score, 1e-5) << question;
    }
  }
}

TEST_P(Contract, AMemoryThatIsOpenedAgainGoesOnWhereItEnded) {
  StreamPos end;
  {
    const auto memory = Open();
    const auto stream = Stream(*memory, "s");
    Writer writer(stream.get());
    SayFacts(&writer);
    end = writer.pos();
  }
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  EXPECT_EQ(stream->journal_end(), end);
  EXPECT_EQ(stream->next_turn(), 10);
  EXPECT_THAT(Text(Recall(*stream, kQuestion)), HasSubstr("leaves at seven"));
  Writer(stream.get()).Say(Role::kUser, "The lighthouse was painted white.");
  const VerifyReport report = memory->Verify().value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
}

TEST_P(Contract, AStreamHasOneWriter) {
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  EXPECT_EQ(memory->OpenStream("s", "tokenizer").error().kind, ErrorKind::kBusy);
  const auto second = Open();
  EXPECT_EQ(second->OpenStream("s", "tokenizer").error().kind, ErrorKind::kBusy);
  EXPECT_TRUE(second->OpenStream("another", "tokenizer"));
}

TEST_P(Contract, StreamsAreSeparate) {
  const auto reference = OpenMemory("", FakeEmbedder()).value();
  const auto alone = Stream(*reference, "one");
  const auto memory = Open();
  const auto one = Stream(*memory, "one");
  const auto other = Stream(*memory, "other");
  Writer a(alone.get()), b(one.get()), c(other.get());
  SayFacts(&a);
  std::mt19937 random(3);
  for (int i = 0; i < 5; ++i) {
    c.Say(Role::kUser,
          "The ferry to Skagen leaves at noon, said number " + std::to_string(random() % 90) + ".");
    b.Say(Role::kUser, kFacts[i]);
    b.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  }
  ASSERT_TRUE(Settles(*one, b.pos() - 30));
  const RecallResult want = Recall(*alone, kQuestion), got = Recall(*one, kQuestion);
  EXPECT_EQ(Text(got), Text(want));
  EXPECT_NEAR(got.best_score, want.best_score, 1e-5);
  EXPECT_NEAR(got.threshold, want.threshold, 1e-5);
  ForgetSelection all;
  all.all = true;
  ASSERT_TRUE(memory->Forget("other", all, false));
  EXPECT_EQ(Text(Recall(*one, kQuestion)), Text(want));
}

TEST_P(Contract, TextIsBytes) {
  const std::string hostile = std::string("A zero \0 byte here, ", 20) +
                              "half a character \xe2\x82 there, and \xff\xfe nothing at all; " +
                              "'); DROP TABLE unit; -- {\"a\":1} \xf0\x9f\x90\xa6 end.";
  const auto memory = Open();
  const auto stream = Stream(*memory, "a 'stream' \"of\" \\ \xc3\xa9 \xff names/..");
  Writer writer(stream.get());
  writer.Say(Role::kUser, hostile);
  writer.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  writer.Say(Role::kUser, "Something else was said after it.");
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  const auto turns = memory->Show("", kAllPositions).value();
  ASSERT_EQ(turns.size(), 3u);
  EXPECT_EQ(turns[0].text, hostile);
  EXPECT_THAT(Text(Recall(*stream, "Where is half a character and a zero byte?")),
              HasSubstr("DROP TABLE"));
  EXPECT_TRUE(memory->Verify().value().ok);
}

TEST_P(Contract, AForkReachesNobodyElse) {
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  Writer writer(stream.get());
  SayFacts(&writer);
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  const std::string before = Text(Recall(*stream, kQuestion));
  {
    const auto fork = stream->Fork().value();
    Writer aside(fork.get());
    aside.Say(Role::kUser, "The ferry to Skagen leaves at midnight, from the southern pier.");
    aside.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
    EXPECT_THAT(Text(Recall(*fork, kQuestion)), HasSubstr("midnight"));
    EXPECT_THAT(Text(Recall(*fork, kQuestion)), HasSubstr("leaves at seven"));
  }
  EXPECT_EQ(Text(Recall(*stream, kQuestion)), before);
}

TEST_P(Contract, AnotherEmbedderOrTokenizerIsRefusedByName) {
  {
    const auto memory = Open();
    Writer(Stream(*memory, "s").get()).Say(Role::kUser, kFacts[0]);
  }
  const auto memory = Open();
  EXPECT_THAT(memory->OpenStream("s", "another tokenizer").error().Message(),
              HasSubstr("another tokenizer"));
  const auto other = store_.Open("another journal", FakeEmbedder(32));
  if (GetParam() == StoreKind::kSqlite) return;  // one file, and this is another
  ASSERT_TRUE(other);
  EXPECT_EQ((*other)->OpenStream("s", "tokenizer").error().kind, ErrorKind::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Stores, Contract,
                         ::testing::Values(StoreKind::kSqlite, StoreKind::kPostgres,
                                           StoreKind::kChroma),
                         [](const auto& kind) { return StoreName(kind.param); });

// What is promised of servers alone.
class ServerContract : public Contract {};

TEST_P(ServerContract, AnOutageIsSurvived) {
  SayFactsEarlier(&store_);
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  Writer writer(stream.get());
  const std::string whole = Text(Recall(*stream, kQuestion));
  store_.StopServer();

  const StreamPos before = writer.pos();
  writer.Say(Role::kUser, "The lighthouse keeper is called Ragnhild.");
  writer.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  EXPECT_EQ(stream->journal_end(), writer.pos());  // the journal goes on
  EXPECT_LE(stream->indexed_end(), before);
  const auto start = std::chrono::steady_clock::now();
  const RecallResult tail = Recall(*stream, "What is the lighthouse keeper called?");
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2500));
  EXPECT_THAT(Text(tail), HasSubstr("Ragnhild"));
  EXPECT_NE(tail.fault, "");
  EXPECT_THAT(Text(Recall(*stream, kQuestion)), HasSubstr("leaves at seven"));  // by its words

  store_.StartServer();
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  EXPECT_EQ(Text(Recall(*stream, kQuestion)), whole);
  const VerifyReport report = memory->Verify().value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
}

TEST_P(ServerContract, AServerThatHangsHoldsNobodyUp) {
  SayFactsEarlier(&store_);
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  Writer writer(stream.get());
  store_.PauseServer();
  const auto start = std::chrono::steady_clock::now();
  writer.Say(Role::kUser, "The lighthouse keeper is called Ragnhild.");
  const RecallResult tail = Recall(*stream, "What is the lighthouse keeper called?");
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3500));
  EXPECT_THAT(Text(tail), HasSubstr("Ragnhild"));
  store_.ResumeServer();
  writer.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  EXPECT_TRUE(memory->Verify().value().ok);
}

TEST_P(ServerContract, AJournalBelongsToOneServer) {
  {
    const auto memory = Open();
    Writer(Stream(*memory, "s").get()).Say(Role::kUser, kFacts[0]);
  }
  EXPECT_THAT(OpenMemory(store_.JournalPath("journal"), FakeEmbedder())
                  .value()
                  ->OpenStream("s", "tokenizer")
                  .error()
                  .Message(),
              HasSubstr("--journal"));
}

TEST_P(ServerContract, ASecondMachineNeverMixesItsWordsIn) {
  StreamPos end;
  {
    const auto memory = Open();
    const auto stream = Stream(*memory, "s");
    Writer writer(stream.get());
    SayFacts(&writer);
    ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
    end = writer.pos();
  }
  const auto memory = Open("journal of another machine");
  auto stream = memory->OpenStream("s", "tokenizer");
  if (GetParam() == StoreKind::kChroma) {  // its journal is elsewhere
    EXPECT_THAT(stream.error().Message(), HasSubstr("--journal"));
    return;
  }
  ASSERT_TRUE(stream) << stream.error().Message();
  EXPECT_EQ((*stream)->journal_end(), end);
  ASSERT_TRUE((*stream)->Index(true));
  EXPECT_THAT(Text(Recall(**stream, kQuestion)), HasSubstr("leaves at seven"));
}

INSTANTIATE_TEST_SUITE_P(Servers, ServerContract,
                         ::testing::Values(StoreKind::kPostgres, StoreKind::kChroma),
                         [](const auto& kind) { return StoreName(kind.param); });

}  // namespace
}  // namespace anabranch
