#include "stream/journal_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "stream/fake_memory.h"

namespace anabranch {
namespace {

using testing::FakeMemory;
using testing::FakeMemoryLog;

constexpr int64_t kDue = JournalWriter::kSyncTokens;

class JournalWriterTest : public ::testing::Test {
 protected:
  // n tokens of one letter each.
  void Say(int64_t turn, int64_t n, RecordKind kind = RecordKind::kText) {
    const std::vector<TokenId> ids(static_cast<size_t>(n), TokenId(7));
    std::vector<uint32_t> ends;
    std::string bytes;
    for (int64_t i = 0; kind == RecordKind::kText && i < n; ++i) {
      bytes += static_cast<char>('a' + (next_ + i) % 26);
      ends.push_back(static_cast<uint32_t>(i + 1));
    }
    writer_.Add(turn, Role::kUser, kind, 1, StreamPos(next_), ids, bytes, ends);
    next_ += n;
  }
  // Checks that the durable records are contiguous, that text is what was said, and that they end
  // at `end`. Returns how many tokens are in gaps.
  int64_t CheckDurable(int64_t end) const {
    int64_t at = 0, gaps = 0;
    for (const JournalRecord& record : log_.durable) {
      EXPECT_EQ(record.begin, StreamPos(at));
      if (record.kind == RecordKind::kLost) gaps += record.end() - record.begin;
      if (record.kind == RecordKind::kText) {
        EXPECT_EQ(record.token_ends.size(), record.ids.size());
        EXPECT_EQ(record.token_ends.back(), record.bytes.size());
        for (size_t i = 0; i < record.bytes.size(); ++i) {
          EXPECT_EQ(record.bytes[i], static_cast<char>('a' + (at + static_cast<int64_t>(i)) % 26));
        }
      }
      at = record.end().value();
    }
    EXPECT_EQ(at, end);
    return gaps;
  }

  FakeMemoryLog log_;
  FakeMemory memory_{&log_};
  JournalWriter writer_{&memory_};
  int64_t next_ = 0;
};

TEST_F(JournalWriterTest, BatchesOfATurnAreOneRecord) {
  Say(0, 3, RecordKind::kTemplate);
  Say(0, 5);
  Say(0, 5);
  Say(0, 2, RecordKind::kTemplate);
  Say(1, 2, RecordKind::kTemplate);
  EXPECT_TRUE(log_.buffered.empty());
  writer_.Sync();
  ASSERT_EQ(log_.durable.size(), 4u);
  EXPECT_EQ(log_.durable[1].ids.size(), 10u);
  CheckDurable(17);
}

TEST_F(JournalWriterTest, AnAnswerIsSyncedWhileTheModelGoesOn) {
  std::promise<void> disk;
  log_.on_sync = [&, written = disk.get_future().share()] { written.wait(); };
  Say(0, kDue);
  writer_.SyncBeside();
  Say(0, kDue);
  writer_.SyncBeside();  // the disk is still busy
  disk.set_value();
  writer_.Sync();
  EXPECT_EQ(log_.n_syncs, 2);
  CheckDurable(2 * kDue);
}

TEST_F(JournalWriterTest, AMemoryThatFailsBesideTheModelIsAskedAgainAsSeldom) {
  log_.fail_sync = true;
  Say(0, kDue);
  writer_.SyncBeside();
  writer_.SyncBefore(StreamPos(1));
  EXPECT_NE(writer_.fault(), "");
  writer_.SyncBeside();
  EXPECT_EQ(log_.n_syncs, 1);
  log_.fail_sync = false;
  Say(0, kDue);
  writer_.SyncBeside();
  writer_.Sync();
  EXPECT_EQ(writer_.fault(), "");
  CheckDurable(2 * kDue);
}

TEST_F(JournalWriterTest, WhatIsBeingWrittenIsAwaitedBeforeItIsEvicted) {
  log_.on_sync = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  Say(0, kDue);
  writer_.SyncBeside();
  writer_.SyncBefore(StreamPos(1));
  EXPECT_EQ(log_.n_syncs, 1);
  CheckDurable(kDue);
}

TEST_F(JournalWriterTest, WhatAMemoryRefusedBesideTheModelStandsBeforeWhatWasSaidMeanwhile) {
  log_.fail_append = true;
  Say(0, kDue);
  writer_.SyncBeside();
  Say(0, 3);
  writer_.SyncBefore(StreamPos(1));
  log_.fail_append = false;
  writer_.Sync();
  CheckDurable(kDue + 3);
}

TEST_F(JournalWriterTest, TurnsAreCutIntoTemplateAndText) {
  TurnTokens turn;
  turn.ids.assign(9, TokenId(1));
  turn.text = "abcdefgh";
  turn.text_begin = 2;
  turn.text_end = 6;
  turn.text_ends = {2, 4, 6, 8};
  writer_.AddTurn(0, Role::kUser, 1, StreamPos(0), turn, 0, 4);
  writer_.AddTurn(0, Role::kUser, 1, StreamPos(4), turn, 4, 9);
  writer_.Sync();
  ASSERT_EQ(log_.durable.size(), 3u);
  EXPECT_EQ(log_.durable[0].kind, RecordKind::kTemplate);
  EXPECT_EQ(log_.durable[1].bytes, "abcdefgh");
  EXPECT_EQ(log_.durable[1].token_ends, (std::vector<uint32_t>{2, 4, 6, 8}));
  EXPECT_EQ(log_.durable[2].ids.size(), 3u);
}

TEST_F(JournalWriterTest, WhatTheMemoryRefusesIsTriedAgain) {
  Say(0, 5);
  log_.fail_append = true;
  writer_.Sync();
  EXPECT_NE(writer_.fault(), "");
  Say(0, 5);
  log_.fail_append = false;
  writer_.Sync();
  EXPECT_EQ(writer_.fault(), "");
  EXPECT_EQ(CheckDurable(10), 0);
}

TEST_F(JournalWriterTest, WhatTheMemoryCannotWriteIsTriedAgain) {
  Say(0, 5);
  log_.fail_sync = true;
  writer_.Sync();
  Say(1, 5);
  writer_.Sync();
  EXPECT_NE(writer_.fault(), "");
  EXPECT_EQ(log_.buffered.size(), 1u) << "a memory that cannot write is given nothing more";
  log_.fail_sync = false;
  writer_.Sync();
  EXPECT_EQ(writer_.fault(), "");
  EXPECT_EQ(CheckDurable(10), 0);
}

TEST_F(JournalWriterTest, SpansThatWereGivenUpAreRecordedAsGaps) {
  Say(0, 5);
  log_.fail_append = true;
  writer_.Sync();
  while (next_ < 3 * JournalWriter::kMaxWaiting) Say(next_ / 1000, 100);
  log_.fail_append = false;
  writer_.Sync();
  EXPECT_EQ(writer_.fault(), "");
  const int64_t gaps = CheckDurable(next_);
  EXPECT_EQ(gaps, writer_.n_lost());
  EXPECT_GE(gaps, next_ - JournalWriter::kMaxWaiting);
  EXPECT_LE(gaps, next_ - JournalWriter::kMaxWaiting + kMaxRecordTokens + 100);
}

TEST_F(JournalWriterTest, SyncsOnlyBeforeWhatIsNotDurableIsEvicted) {
  Say(0, 10);
  writer_.SyncBefore(StreamPos(0));
  EXPECT_EQ(log_.n_syncs, 0);
  writer_.SyncBefore(StreamPos(1));
  EXPECT_EQ(log_.n_syncs, 1);
  writer_.SyncBefore(StreamPos(10));
  EXPECT_EQ(log_.n_syncs, 1);
}

TEST_F(JournalWriterTest, AFailedIndexIsAFaultUntilItWorks) {
  Say(0, 10);
  log_.fail_index = true;
  writer_.Index(true);
  EXPECT_NE(writer_.fault(), "");
  log_.fail_index = false;
  writer_.Index(true);
  EXPECT_EQ(writer_.fault(), "");
}

TEST_F(JournalWriterTest, AFailedIndexLetsNothingBeEvictedThatIsNotDurable) {
  log_.fail_index = true;
  Say(0, 10);
  writer_.Index(false);
  EXPECT_FALSE(writer_.fault().empty());
  Say(0, 10);
  writer_.SyncBefore(StreamPos(15));
  EXPECT_EQ(memory_.journal_end(), StreamPos(20));
}

TEST_F(JournalWriterTest, AForkWritesToItsOwnMemory) {
  Say(0, 5);
  writer_.Sync();
  FakeMemoryLog fork_log = log_;
  FakeMemory fork_memory(&fork_log);
  JournalWriter fork(writer_, &fork_memory);
  const TokenId id(1);
  const uint32_t end = 1;
  fork.Add(1, Role::kUser, RecordKind::kText, 1, StreamPos(5), {&id, 1}, "x", {&end, 1});
  fork.Sync();
  EXPECT_EQ(fork_log.durable.size(), 2u);
  EXPECT_EQ(log_.durable.size(), 1u);
}

TEST(JournalWriter, ReportsWhatIsDurableAndNothingElse) {
  FakeMemoryLog log;
  FakeMemory memory(&log);
  std::vector<std::pair<int64_t, int64_t>> reports;
  JournalWriter writer(&memory, [&](StreamPos end, StreamPos indexed) {
    EXPECT_EQ(log.durable.back().end(), end);
    reports.emplace_back(end.value(), indexed.value());
  });
  const auto say = [&](int64_t pos) {
    const TokenId id(1);
    writer.Add(0, Role::kUser, RecordKind::kTemplate, 1, StreamPos(pos), {&id, 1}, "", {});
  };
  say(0);
  EXPECT_TRUE(reports.empty());
  writer.Sync();
  writer.Sync();
  say(1);
  log.fail_sync = true;
  writer.Index(true);
  log.fail_sync = false;
  log.fail_index = true;
  writer.Index(true);
  log.fail_index = false;
  writer.Index(true);
  JournalWriter fork(writer, &memory);
  fork.Index(true);
  EXPECT_EQ(reports, (std::vector<std::pair<int64_t, int64_t>>{{1, 0}, {2, 0}, {2, 2}}));
}

TEST(JournalWriter, WithoutAMemoryKeepsNothing) {
  JournalWriter writer(nullptr);
  const TokenId id(1);
  writer.Add(0, Role::kUser, RecordKind::kTemplate, 1, StreamPos(0), {&id, 1}, "", {});
  writer.Sync();
  writer.SyncBefore(StreamPos(9));
  writer.Index(true);
  EXPECT_EQ(writer.fault(), "");
}

}  // namespace
}  // namespace anabranch
