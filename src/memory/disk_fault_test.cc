// The power fails, the disk is full, fails or cannot be written: nothing that was acknowledged is
// lost, and no repair step is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "memory/memory_test_support.h"
#include "memory/verify.h"
#include "support/fault_vfs.h"

namespace anabranch {
namespace {

using testing::FaultVfs;
using testing::Files;
using testing::WriteInto;
using Op = FaultVfs::Op;
using ::testing::HasSubstr;

constexpr size_t kStreams = 2;
constexpr const char* kNames[kStreams] = {"one", "two"};
constexpr StreamSpan kAll = {StreamPos(0), StreamPos(kMaxCoordinate)};

std::string TextOf(const StreamMemory& stream) {
  std::string text;
  EXPECT_TRUE(stream.Read(kAll, [&text](const StoredRecord& stored) {
    text += stored.record.bytes;
    return Result<void>();
  }));
  return text;
}

// Streams of one file, and what was said in them.
class Conversation {
 public:
  Conversation(const std::string& path, uint32_t seed) : path_(path), random_(seed) { Open(); }

  void DoSomething() {
    const auto what = random_() % 20;
    if (what == 0) {
      // It finds nothing, and empties the log.
      static_cast<void>(memory_->Forget("one", {.matching = "xylophone"}, false));
    } else {
      Say(random_() % kStreams);
    }
  }
  void Close() {
    for (size_t s = 0; s < kStreams; ++s) {
      closed_at_[s] = streams_[s]->journal_end();
      streams_[s].reset();
    }
    memory_.reset();
  }
  void Open() {
    memory_ = OpenMemory(path_, FakeEmbedder()).value();
    for (size_t s = 0; s < kStreams; ++s) {
      streams_[s] = memory_->OpenStream(kNames[s], "t").value();
      ASSERT_GE(streams_[s]->journal_end(), closed_at_[s]);
      // What could not be written is gone with its process.
      said_[s].resize(static_cast<size_t>(streams_[s]->journal_end().value()));
    }
  }

  bool SyncAll() { return streams_[0]->Sync() && streams_[1]->Sync(); }
  StreamPos acknowledged(size_t s) const {
    return streams_[s] == nullptr ? closed_at_[s] : streams_[s]->journal_end();
  }
  int n_failed() const { return n_failed_; }
  std::string Said(size_t s, StreamPos end) const {
    std::string text;
    for (size_t i = 0; i < static_cast<size_t>(end.value()); ++i) text += said_[s].at(i);
    return text;
  }

 private:
  // A turn, synced in parts, and indexed or not. What fails is tried again with the next.
  void Say(size_t s) {
    JournalRecord turn;
    turn.turn = streams_[s]->next_turn();
    turn.role = random_() % 2 == 0 ? Role::kUser : Role::kAssistant;
    Append(s, turn, RecordKind::kTemplate, {"", "", ""});
    for (auto n = 1 + random_() % 3; n > 0; --n) {
      Append(s, turn, RecordKind::kText,
             {"The", " ferry", " " + std::to_string(random_() % 100000), " left", " the", " old",
              " harbour", " at", " dawn", ".", " "});
    }
    Append(s, turn, RecordKind::kTemplate, {"", ""});
  }
  void Append(size_t s, JournalRecord record, RecordKind kind,
              const std::vector<std::string>& tokens) {
    record.kind = kind;
    record.begin = StreamPos(static_cast<int64_t>(said_[s].size()));
    record.ids.assign(tokens.size(), TokenId(7));
    for (const std::string& token : tokens) {
      record.bytes += token;
      if (kind == RecordKind::kText) {
        record.token_ends.push_back(static_cast<uint32_t>(record.bytes.size()));
      }
      said_[s].push_back(token);
    }
    ASSERT_TRUE(streams_[s]->Append(std::move(record)));
    if (random_() % 2 == 0 && !streams_[s]->Sync()) ++n_failed_;
    if (random_() % 2 == 0 && !streams_[s]->Index(random_() % 2 == 0)) ++n_failed_;
  }

  std::string path_;
  std::mt19937 random_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<StreamMemory> streams_[kStreams];
  StreamPos closed_at_[kStreams] = {};
  std::vector<std::string> said_[kStreams];  // by each token
  int n_failed_ = 0;
};

struct Cut {
  Files files;
  StreamPos acknowledged[kStreams] = {};

  Cut(const FaultVfs& vfs, const Conversation* conversation, std::mt19937* random)
      : files(vfs.PowerCut(random)) {
    for (size_t s = 0; conversation != nullptr && s < kStreams; ++s) {
      acknowledged[s] = conversation->acknowledged(s);
    }
  }
};

// What the next process finds behind the cut.
void CheckCut(const Cut& cut, const Conversation& conversation) {
  TempDir dir;
  WriteInto(dir.File(""), cut.files);
  const auto report = VerifyFile(dir.File("m"), FakeEmbedder());
  if (report) {
    ASSERT_TRUE(report->ok) << report->faults[0];
    ASSERT_TRUE(report->cut_checked);
  } else {
    // Only where there was nothing to lose: the file was being made.
    ASSERT_EQ(cut.acknowledged[0].value() + cut.acknowledged[1].value(), 0)
        << report.error().Message();
  }
  const auto memory = OpenMemory(dir.File("m"), FakeEmbedder());
  ASSERT_TRUE(memory) << memory.error().Message();
  for (size_t s = 0; s < kStreams; ++s) {
    const auto stream = (*memory)->OpenStream(kNames[s], "t");
    ASSERT_TRUE(stream) << stream.error().Message();
    EXPECT_EQ((*stream)->notice(), "");
    const StreamPos end = (*stream)->journal_end();
    ASSERT_GE(end, cut.acknowledged[s]);
    ASSERT_EQ(TextOf(**stream), conversation.Said(s, end));
    ASSERT_EQ(Writer(stream->get()).Say(Role::kUser, "And on it goes.").begin, end);
  }
  const VerifyReport after = (*memory)->Verify().value();
  ASSERT_TRUE(after.ok) << after.faults[0];
}

TEST(PowerCut, LosesNothingThatWasAcknowledged) {
  constexpr int kCuts = 200;
  int cuts = 0;
  for (uint32_t seed = 1; cuts < kCuts; ++seed) {
    TempDir dir;
    FaultVfs vfs(dir.File(""));
    std::mt19937 random(seed);
    std::vector<Cut> waiting;
    std::optional<Conversation> conversation;  // the judge is asked until it is gone
    vfs.set_judge([&](Op, const std::string&) {
      if (random() % 12 == 0) {
        waiting.emplace_back(vfs, conversation ? &*conversation : nullptr,
                             random() % 4 == 0 ? nullptr : &random);
      }
      return SQLITE_OK;
    });
    conversation.emplace(dir.File("m"), seed);
    for (int i = 0; i < 12; ++i) {
      if (i % 4 == 3) {
        conversation->Close();
        conversation->Open();
      }
      conversation->DoSomething();
      for (const Cut& cut : std::exchange(waiting, {})) {
        SCOPED_TRACE(::testing::Message() << "seed " << seed << ", cut " << ++cuts);
        CheckCut(cut, *conversation);
        if (HasFatalFailure()) return;
      }
    }
    ASSERT_EQ(conversation->n_failed(), 0);
  }
}

struct Fault {
  const char* name;
  Op op;
  int code;
  const char* says;
};
constexpr Fault kFaults[] = {
    {"FullDisk", Op::kWrite, SQLITE_FULL, "no space is left"},
    {"FullDiskAtSync", Op::kSync, SQLITE_IOERR_FSYNC, "disk I/O error"},
    {"FailedWrite", Op::kWrite, SQLITE_IOERR_WRITE, "disk I/O error"},
    {"ReadOnly", Op::kWrite, SQLITE_READONLY, "cannot be written"},
};

class DiskFault : public ::testing::TestWithParam<Fault> {
 protected:
  DiskFault() {
    vfs_.set_judge([this](Op op, const std::string&) {
      return broken_ && op == GetParam().op ? GetParam().code : SQLITE_OK;
    });
  }

  TempDir dir_;
  FaultVfs vfs_{dir_.File("")};
  bool broken_ = false;
};

TEST_P(DiskFault, IsAnErrorUntilTheDiskWorksAgain) {
  const auto memory = OpenMemory(dir_.File("m"), FakeEmbedder()).value();
  const auto stream = memory->OpenStream("s", "t").value();
  Writer(stream.get()).Say(Role::kUser, "The old stone bridge was built by two brothers.");
  const StreamPos durable = stream->journal_end();
  JournalRecord record;
  record.turn = stream->next_turn();
  record.kind = RecordKind::kTemplate;
  record.begin = durable;
  record.ids.assign(5, TokenId(7));
  ASSERT_TRUE(stream->Append(record));

  broken_ = true;
  for (int i = 0; i < 3; ++i) {
    const auto synced = stream->Sync();
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().kind, ErrorKind::kIo);
    EXPECT_THAT(synced.error().Message(), HasSubstr(GetParam().says));
    EXPECT_EQ(stream->journal_end(), durable);
  }
  RecallQuery query;
  query.mode = RecallMode::kAlways;
  query.turn_text = "Who built the old stone bridge?";
  query.threshold = -1;
  EXPECT_THAT(stream->Recall(query).value().passages.at(0).text, HasSubstr("two brothers"));

  broken_ = false;
  ASSERT_TRUE(stream->Sync());
  EXPECT_EQ(stream->journal_end(), durable + 5);
  Writer(stream.get()).Say(Role::kAssistant, "And a miller rebuilt it after the flood.");
  TempDir kept;
  WriteInto(kept.File(""), vfs_.PowerCut());
  const VerifyReport report = VerifyFile(kept.File("m"), FakeEmbedder()).value();
  EXPECT_TRUE(report.ok) << report.faults[0];
  EXPECT_EQ(report.streams.at(0).end, stream->journal_end());
  EXPECT_EQ(vfs_.n_retried_syncs(), 0);
}

INSTANTIATE_TEST_SUITE_P(Faults, DiskFault, ::testing::ValuesIn(kFaults),
                         [](const auto& of) { return of.param.name; });

TEST(DiskFaults, HoweverManyLoseNothingThatWasAcknowledged) {
  int failed = 0;
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    TempDir dir;
    FaultVfs vfs(dir.File(""));
    std::mt19937 random(seed);
    const Fault* fault = nullptr;
    Conversation conversation(dir.File("m"), seed);  // the judge is asked until it is gone
    vfs.set_judge([&](Op op, const std::string&) {
      return fault != nullptr && op == fault->op && random() % 2 == 0 ? fault->code : SQLITE_OK;
    });
    for (int i = 0; i < 30; ++i) {
      fault = random() % 2 == 0 ? &kFaults[random() % std::size(kFaults)] : nullptr;
      if (i % 8 == 7) {
        fault = nullptr;
        conversation.Close();
        conversation.Open();
      }
      conversation.DoSomething();
      EXPECT_EQ(vfs.n_retried_syncs(), 0);
      if (i % 3 == 0) CheckCut(Cut(vfs, &conversation, &random), conversation);
      if (::testing::Test::HasFailure()) return;
    }
    fault = nullptr;
    EXPECT_TRUE(conversation.SyncAll());
    CheckCut(Cut(vfs, &conversation, nullptr), conversation);
    failed += conversation.n_failed();
  }
  EXPECT_GT(failed, 100);
}

}  // namespace
}  // namespace anabranch
