// A stream over a memory file whose disk fails: it goes on, says so, and nothing that it reported
// as remembered is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory/scan_for_tests.h"
#include "memory/verify.h"
#include "stream/journal_writer.h"
#include "stream/tiny_stream.h"
#include "support/fault_vfs.h"
#include "support/temp_dir.h"

namespace anabranch::testing {
namespace {

using Op = FaultVfs::Op;

// Every text is alike: what is recalled does not matter here.
EmbedderHandle OneVector() {
  EmbedderHandle handle;
  handle.width = 4;
  handle.fingerprint = "one vector";
  handle.count_pieces = [](std::string_view text) { return static_cast<int>(text.size() / 4 + 1); };
  handle.embed = [](std::span<const std::string_view>, std::span<float> out) {
    for (size_t i = 0; i < out.size(); ++i) out[i] = i % 4 == 0 ? 1.0f : 0.0f;
    return Result<void>();
  };
  AddReferenceScans(&handle);
  return handle;
}

class DiskFault : public ::testing::Test {
 protected:
  DiskFault() {
    vfs_.set_judge([this](Op op, const std::string&) {
      return broken_ && op == Op::kWrite ? SQLITE_FULL : SQLITE_OK;
    });
    memory_ = OpenMemory(path_, OneVector()).value();
  }
  // What a power cut would leave of the memory.
  VerifyReport Kept() const {
    TempDir kept;
    WriteInto(kept.path(), vfs_.PowerCut());
    return VerifyFile(kept.File("m"), OneVector()).value();
  }

  TempDir dir_;
  std::string path_ = dir_.File("m");
  FaultVfs vfs_{dir_.path()};
  bool broken_ = false;
  std::unique_ptr<Memory> memory_;
};

TEST_F(DiskFault, AStreamGoesOnSaysSoAndRemembersAllWhenTheDiskWorksAgain) {
  const TinyStreams tiny({.n_ctx_train = 1024});
  StreamOptions options;
  options.recent_size = 96;
  options.recall = RecallMode::kEvicted;
  options.recall_tokens = 150;
  StreamPos reported;
  options.on_remembered = [&](StreamPos end, StreamPos) {
    reported = end;
    EXPECT_TRUE(vfs_.IsSynced(path_ + "-wal"));
    EXPECT_GE(Kept().streams.at(0).end, end);
  };
  StreamParts parts = tiny.parts();
  parts.memory = memory_.get();
  const auto stream =
      ChatStream::Open(parts, options, memory_->OpenStream("s", "t").value()).value();
  AnswerOptions answer;
  answer.max_tokens = 8;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream->Read(Role::kUser, "the cat sat on the mat and saw a dog.", 0, nullptr));
  }
  ASSERT_GT(reported.value(), 0);

  broken_ = true;
  for (int i = 0; i < 3; ++i) {
    const auto answered = stream->Answer("what did the cat see?", answer);
    ASSERT_TRUE(answered) << answered.error().Message();
    EXPECT_THAT(answered->recall.fault, ::testing::HasSubstr("no space is left"));
    EXPECT_TRUE(answered->recall.decision == RecallDecision::kUsed ||
                answered->recall.decision == RecallDecision::kDegraded);
  }
  EXPECT_THAT(stream->stats().memory_fault, ::testing::HasSubstr("no space is left"));
  EXPECT_EQ(stream->stats().journalled, reported);
  EXPECT_LT(reported, stream->stats().next);
  EXPECT_EQ(Kept().streams.at(0).end, reported);

  broken_ = false;
  ASSERT_TRUE(stream->Answer("and the dog?", answer));
  EXPECT_EQ(stream->stats().memory_fault, "");
  EXPECT_EQ(stream->stats().lost, 0);
  EXPECT_EQ(reported, stream->stats().next);
  const VerifyReport report = Kept();
  EXPECT_TRUE(report.ok) << report.faults[0];
  EXPECT_EQ(report.streams.at(0).end, reported);
}

TEST_F(DiskFault, WhatHadToBeGivenUpIsRecordedAsLost) {
  const auto stream = memory_->OpenStream("s", "t").value();
  JournalWriter writer(stream.get());
  const std::vector<TokenId> ids(1000, TokenId(1));
  int64_t next = 0;
  const auto say = [&] {
    writer.Add(next / 1000, Role::kUser, RecordKind::kTemplate, 1, StreamPos(next), ids, "", {});
    next += 1000;
  };
  say();
  writer.Sync();
  ASSERT_EQ(stream->journal_end(), StreamPos(1000));
  broken_ = true;
  while (next < 2 * JournalWriter::kMaxWaiting) {
    say();
    writer.Sync();
  }
  EXPECT_NE(writer.fault(), "");
  EXPECT_GT(writer.n_lost(), 0);
  broken_ = false;
  writer.Sync();
  EXPECT_EQ(writer.fault(), "");
  EXPECT_EQ(stream->journal_end(), StreamPos(next));
  int64_t lost = 0;
  ASSERT_TRUE(stream->Read({StreamPos(0), StreamPos(next)}, [&](const StoredRecord& stored) {
    if (stored.record.kind == RecordKind::kLost) lost += stored.end - stored.record.begin;
    return Result<void>();
  }));
  EXPECT_EQ(lost, writer.n_lost());
  const VerifyReport report = Kept();
  EXPECT_TRUE(report.ok) << report.faults[0];
  EXPECT_EQ(report.streams.at(0).end, StreamPos(next));
}

}  // namespace
}  // namespace anabranch::testing
