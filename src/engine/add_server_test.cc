// Documents in memories of every kind, on real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/add_fixture.h"
#include "memory/store_fixtures.h"

namespace anabranch {
namespace {

class AddToStore : public ::testing::TestWithParam<StoreKind>, public AddFixture {
 protected:
  AddToStore() : store_(GetParam()) { UseJournal("journal"); }
  // Another machine, as far as the server is concerned.
  void UseJournal(const std::string& name) {
    if (GetParam() == StoreKind::kSqlite) {
      options_.memory = store_.JournalPath(name);
      return;
    }
    options_.memory = store_.location();
    options_.journal = store_.JournalPath(name);
    if (GetParam() == StoreKind::kPostgres) {
      options_.memory_password = testing::PostgresServer::kPassword;
    }
  }

  StoreFixture store_;
};

TEST_P(AddToStore, DocumentsAreIndexedAndSayWhereTheyAreFrom) {
  const auto report = Add({MakeDocument("house.md", kHouse)});
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_EQ(report->behind, "") << "the server has all of it";
  EXPECT_EQ(SourceOf("4711"), "house.md > House > Boiler");
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  EXPECT_EQ(reports_[0].state, DocumentState::kUnchanged);
  ExpectSound();
  const auto engine = Engine::Open(options_).value();
  const auto stream = engine->OpenStream(Asking("talk")).value();
  const auto recalled = stream->Recall(kQuestion);
  ASSERT_TRUE(recalled) << recalled.error().Message();
  EXPECT_EQ(recalled->fault, "");
  EXPECT_THAT(Sources(*recalled), ::testing::Contains(kAnswer));
}

TEST_P(AddToStore, ForgettingADocumentTellsTheServer) {
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  const auto forgotten = Open()->Forget("library", {.matching = "4711"}, false);
  ASSERT_TRUE(forgotten) << forgotten.error().Message();
  EXPECT_EQ(SourceOf("4711"), "not there");
  ExpectSound();
}

TEST_P(AddToStore, AServerThatIsAwayGetsDocumentsLater) {
  if (GetParam() == StoreKind::kSqlite) return;
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  const std::string list = "# List\n\nThe pears are ripe in September.\n";
  store_.StopServer();
  const auto away = Add({MakeDocument("list.md", list)});
  store_.StartServer();
  ASSERT_TRUE(away) << away.error().Message();
  EXPECT_NE(away->behind, "");
  const auto back = Add({MakeDocument("list.md", list)});
  ASSERT_TRUE(back) << back.error().Message();
  EXPECT_EQ(reports_[0].state, DocumentState::kUnchanged);
  EXPECT_EQ(back->behind, "");
  EXPECT_EQ(SourceOf("pears"), "list.md > List");
  ExpectSound();
}

TEST(AddToPostgres, AnotherMachineGoesOnWithTheLibrary) {
  AddFixture one, other;
  StoreFixture store(StoreKind::kPostgres);
  for (AddFixture* each : {&one, &other}) {
    each->options_.memory = store.location();
    each->options_.journal = each->dir_.File("journal.db");
    each->options_.memory_password = testing::PostgresServer::kPassword;
  }
  ASSERT_TRUE(one.Add({MakeDocument("house.md", kHouse)}));
  const auto there = other.Add({MakeDocument("house.md", kHouse)});
  ASSERT_TRUE(there) << there.error().Message();
  EXPECT_EQ(other.reports_[0].state, DocumentState::kUnchanged);
  EXPECT_EQ(other.SourceOf("4711"), "house.md > House > Boiler");
  EXPECT_EQ(other.Text(), one.Text());
}

INSTANTIATE_TEST_SUITE_P(Stores, AddToStore,
                         ::testing::Values(StoreKind::kSqlite, StoreKind::kPostgres,
                                           StoreKind::kChroma),
                         [](const auto& stores) { return StoreName(stores.param); });

}  // namespace
}  // namespace anabranch
