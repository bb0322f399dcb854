// What every memory forgets, and shows to readers beside its writer: on SQLite, PostgreSQL and
// Chroma.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory/contract_fixture.h"
#include "memory/journal_store.h"
#include "memory/server.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

class ForgetContract : public Contract {};

TEST_P(ForgetContract, WhatIsForgottenIsNowhere) {
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  Writer writer(stream.get());
  SayFacts(&writer);
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  ForgetSelection what;
  what.matching = "ferry to Skagen";
  const auto dry = memory->Forget("s", what, true).value();
  EXPECT_FALSE(dry.done);
  EXPECT_THAT(Text(Recall(*stream, kQuestion)), HasSubstr("leaves at seven"));
  ASSERT_TRUE(memory->Forget("s", what, false));
  EXPECT_THAT(Text(Recall(*stream, kQuestion)), ::testing::Not(HasSubstr("Skagen")));
  writer.Say(Role::kUser, "The lighthouse was painted white.");
  writer.Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  EXPECT_TRUE(memory->Verify().value().ok);
  const auto turns = memory->Show("s", kAllPositions).value();
  for (const MemoryTurn& turn : turns) {
    EXPECT_THAT(turn.text, ::testing::Not(HasSubstr("Skagen")));
  }
}

TEST_P(ForgetContract, AStreamIsReadBesideItsWriter) {
  SayFactsEarlier(&store_);
  const auto memory = Open();
  const auto reader = memory->OpenReader("s").value();
  RecallQuery query;
  query.turn_text = kQuestion;
  query.mode = RecallMode::kAlways;
  const RecallResult before = reader->Recall(query).value();
  EXPECT_THAT(Text(before), HasSubstr("leaves at seven"));
  // Its writer leaves the vectors that a server has to the server alone.
  const auto writing = Open();
  const auto stream = Stream(*writing, "s");
  const RecallResult beside = reader->Recall(query).value();
  EXPECT_EQ(beside.fault, "");
  EXPECT_EQ(Text(beside), Text(before));
  EXPECT_NEAR(beside.best_score, before.best_score, 1e-5);
  ForgetSelection what;
  what.matching = "ferry to Skagen";
  ASSERT_TRUE(writing->Forget("s", what, false));
  EXPECT_THAT(Text(reader->Recall(query).value()), ::testing::Not(HasSubstr("Skagen")));
  EXPECT_THAT(memory->OpenReader("nobody").error().Message(), HasSubstr("it has: s"));
}

INSTANTIATE_TEST_SUITE_P(Stores, ForgetContract,
                         ::testing::Values(StoreKind::kSqlite, StoreKind::kPostgres,
                                           StoreKind::kChroma),
                         [](const auto& kind) { return StoreName(kind.param); });

// What is promised of servers alone.
class ServerForgetContract : public Contract {
 protected:
  // Of stream "s": Verify compares the units, this the journal of a server that keeps one.
  void ExpectNoneAtServer(const std::string& text) {
    RemoteOptions options;
    options.password = testing::PostgresServer::kPassword;
    const auto remote = OpenRemoteStore(store_.location(), options).value();
    if (!remote->keeps_journal()) return;
    int n = 0;
    const auto read = remote->Records("s", StreamPos(0), [&](const StoredRecord& stored) {
      ++n;
      EXPECT_THAT(stored.record.bytes, ::testing::Not(HasSubstr(text)));
      return Result<void>();
    });
    ASSERT_TRUE(read) << read.error().Message();
    EXPECT_GT(n, 0);
  }
};

TEST_P(ServerForgetContract, WhatIsForgottenDuringAnOutageDoesNotComeBack) {
  SayFactsEarlier(&store_);
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  Writer writer(stream.get());
  store_.StopServer();
  writer.Say(Role::kUser, "The ferry to Skagen is painted white.");
  ForgetSelection what;
  what.matching = "ferry to Skagen";
  what.timeout_ms = 100;
  const ForgetResult forgotten = memory->Forget("s", what, false).value();
  EXPECT_EQ(forgotten.grade, ForgetGrade::kUnreachable);
  EXPECT_THAT(forgotten.erased_when, HasSubstr("has been told"));
  EXPECT_THAT(Text(Recall(*stream, kQuestion)), ::testing::Not(HasSubstr("Skagen")));
  writer.Say(Role::kAssistant, "I have taken a note of what you told me just now.");

  store_.StartServer();
  ASSERT_TRUE(Settles(*stream, writer.pos() - 30));
  EXPECT_THAT(Text(Recall(*stream, kQuestion)), ::testing::Not(HasSubstr("Skagen")));
  ExpectNoneAtServer("Skagen");
  const VerifyReport report = memory->Verify().value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
}

// As `memory forget` does, which loads no embedder.
TEST_P(ServerForgetContract, WhatIsForgottenOfAStreamThatNobodyWritesIsDeletedAtTheServerAtOnce) {
  SayFactsEarlier(&store_);
  {
    const auto memory = store_.Open("journal", EmbedderHandle()).value();
    ForgetSelection what;
    what.matching = "ferry to Skagen";
    const ForgetResult forgotten = memory->Forget("s", what, false).value();
    EXPECT_EQ(forgotten.units, 1);
    EXPECT_EQ(forgotten.grade, ForgetGrade::kUnreachable);
    EXPECT_THAT(forgotten.erased_when, HasSubstr("docs/stores.md"));
    EXPECT_THAT(forgotten.erased_when, ::testing::Not(HasSubstr("has been told")));
    ExpectNoneAtServer("Skagen");
  }
  const auto memory = Open();
  const auto stream = Stream(*memory, "s");
  EXPECT_THAT(Text(Recall(*stream, "Who keeps parrots?")), HasSubstr("parrots"));
  const VerifyReport report = memory->Verify().value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
}

INSTANTIATE_TEST_SUITE_P(Servers, ServerForgetContract,
                         ::testing::Values(StoreKind::kPostgres, StoreKind::kChroma),
                         [](const auto& kind) { return StoreName(kind.param); });

}  // namespace
}  // namespace anabranch
