#include "memory/drain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "memory/drain_fixture.h"

namespace anabranch {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST(Drain, BringsTheServerEveryUnitOnceWithItsTextAndVector) {
  Draining d;
  d.Start();
  ASSERT_TRUE(d.opened && d.Finish());
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
  EXPECT_GE(d.LocalIds().size(), size_t{kTurns} - 1);
  const JournalStore journal(d.db.get(), 1);
  for (const auto& [id, unit] : d.server.units) {
    EXPECT_EQ(unit.text, journal.Text(unit.text_begin, unit.text_end).value());
    const std::string_view text = unit.text;
    std::vector<float> vector(64);
    ASSERT_TRUE(FakeEmbedder().embed({&text, 1}, vector));
    EXPECT_EQ(unit.vector, vector);
  }
  EXPECT_EQ(*std::max_element(d.server.upserts.begin(), d.server.upserts.end()), 8u);
}

TEST(Drain, BringsWhatComesLater) {
  Draining d;
  d.Start();
  ASSERT_TRUE(d.Finish());
  d.writer->Say(Role::kUser, Sentence(1000));
  d.writer->Say(Role::kAssistant, Sentence(1001));
  d.drain->Notify();
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
}

TEST(Drain, GoesOnWhereItEndedAndSendsNothingTwice) {
  Draining d;
  d.Start();
  ASSERT_TRUE(d.Finish());
  const size_t batches = d.server.upserts.size();
  d.drain.reset();
  d.Start();
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.server.upserts.size(), batches);
}

TEST(Drain, CatchesUpInOrderAfterTheServerWasAway) {
  Draining d(true);
  d.server.away = true;
  d.Start();
  EXPECT_EQ(d.opened.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(d.drain->Flush(kPatience));
  EXPECT_THAT(d.drain->fault(), HasSubstr("is away"));
  d.writer->Say(Role::kUser, Sentence(77));
  d.writer->Say(Role::kAssistant, Sentence(78));
  {
    const std::lock_guard lock(d.server.mutex);
    d.server.away = false;
  }
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.drain->fault(), "");
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
  d.ExpectSameJournal();
}

TEST(Drain, RepeatsABatchWhoseAnswerWasLost) {
  Draining d;
  int failures = 0;
  d.server.writes_before_failing = true;
  d.server.fails = [&](auto) {
    return ++failures % 2 == 1 ? std::optional(Unavailable()) : std::nullopt;
  };
  d.Start();
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
}

TEST(Drain, HalvesWhatIsTooLargeForTheServer) {
  Draining d;
  d.server.fails = [](std::span<const RemoteUnit> units) {
    return units.size() > 3 ? std::optional(Error{ErrorKind::kLimit, "the server", "413", ""})
                            : std::nullopt;
  };
  d.Start();
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
}

TEST(Drain, QuarantinesTheOneUnitThatTheServerRefusesAndGoesOn) {
  Draining d;
  const UnitStore store(d.db.get(), 1, "s");
  const UnitRow of_refused = store.Rows().value()[11];
  const uint64_t refused = store.IdOf(of_refused).value();
  d.server.fails = [refused](std::span<const RemoteUnit> units) {
    const bool there = std::any_of(units.begin(), units.end(), [&](const RemoteUnit& unit) {
      return unit.id.value() == refused;
    });
    return there ? std::optional(Error{ErrorKind::kInvalid, "the server", "422", ""})
                 : std::nullopt;
  };
  d.Start();
  ASSERT_TRUE(d.Finish());
  const auto quarantined = DrainStore(d.db.get(), 1).Quarantined().value();
  ASSERT_EQ(quarantined.size(), 1u);
  EXPECT_EQ(quarantined[0].key, of_refused.key);
  EXPECT_THAT(quarantined[0].fault, HasSubstr("422"));
  std::vector<uint64_t> expected = d.LocalIds();
  std::erase(expected, refused);
  EXPECT_EQ(d.ServerIds(), expected);
}

TEST(Drain, StopsAndSaysSoWhenItIsDenied) {
  Draining d;
  d.server.fails = [](auto) {
    return std::optional(Error{ErrorKind::kDenied, "the server", "wrong password", ""});
  };
  d.Start();
  EXPECT_FALSE(d.drain->Flush(kPatience));
  EXPECT_THAT(d.drain->fault(), HasSubstr("wrong password"));
  std::this_thread::sleep_for(milliseconds(50));
  int calls = 0;
  {
    const std::lock_guard lock(d.server.mutex);
    calls = d.server.calls;
  }
  d.drain->Notify();
  std::this_thread::sleep_for(milliseconds(50));
  const std::lock_guard lock(d.server.mutex);
  EXPECT_EQ(d.server.calls, calls);
}

TEST(Drain, CallsAServerDamagedThatAnswersButRefusesOneBatchAgainAndAgain) {
  Draining d;
  d.server.fails = [](auto) { return std::optional(Unavailable()); };
  d.Start();
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (d.drain->fault().find("damaged") == std::string::npos &&
         std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_THAT(d.drain->fault(), HasSubstr("damaged"));
  EXPECT_THAT(d.drain->fault(), HasSubstr("memory reindex"));
}

TEST(Drain, WaitsAsLongAsTheServerAsks) {
  Draining d;
  int failures = 0;
  d.server.retry_after = milliseconds(300);
  d.server.fails = [&](auto) {
    return ++failures == 1 ? std::optional(Unavailable()) : std::nullopt;
  };
  const auto start = std::chrono::steady_clock::now();
  d.Start();
  ASSERT_TRUE(d.Finish());
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(300));
}

TEST(Drain, DropsWhatTheServerHasOfAStreamThatWasIndexedAnew) {
  for (const bool keeps_journal : {false, true}) {
    Draining d(keeps_journal);
    d.Start();
    ASSERT_TRUE(d.Finish());
    d.drain.reset();
    d.server.units[12345] = {};  // of the old index
    const size_t batches = d.server.upserts.size();
    ASSERT_TRUE(DrainStore(d.db.get(), 1).DropUnitsFirst());
    {
      const std::lock_guard lock(d.server.mutex);
      d.server.away = true;  // it is dropped as soon as it answers
    }
    d.Start();
    {
      const std::lock_guard lock(d.server.mutex);
      d.server.away = false;
    }
    ASSERT_TRUE(d.Finish());
    EXPECT_EQ(d.ServerIds(), d.LocalIds());
    EXPECT_GT(d.server.upserts.size(), batches);
    if (keeps_journal) d.ExpectSameJournal();
  }
}

TEST(Drain, PullsWhatAnotherMachineWrote) {
  Draining one(true);
  one.Start();
  ASSERT_TRUE(one.Finish());
  one.drain.reset();

  Draining other(true);
  other.stream.reset();
  other.memory.reset();
  other.path = other.dir.File("other");
  other.memory = OpenMemory(other.path, FakeEmbedder()).value();
  other.stream = other.memory->OpenStream("s", "tokenizer").value();
  other.stream.reset();
  other.db = OpenStore(other.path, other.path).value();
  other.server.records = one.server.records;
  other.Start();
  ASSERT_TRUE(other.opened) << other.opened.error().Message();
  other.ExpectSameJournal();
  EXPECT_EQ(JournalStore(other.db.get(), 1).Count().value(),
            JournalStore(one.db.get(), 1).Count().value());
}

TEST(Drain, RefusesAServerWhoseJournalIsNotThisOne) {
  Draining d(true);
  StoredRecord foreign;
  foreign.record.bytes = "x";
  foreign.record.ids = {TokenId(5)};
  foreign.record.token_ends = {1};
  foreign.end = StreamPos(1);
  d.server.records[0] = foreign;
  d.Start();
  EXPECT_EQ(d.opened.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(d.opened.error().Message(), HasSubstr("--journal"));
}

}  // namespace
}  // namespace anabranch
