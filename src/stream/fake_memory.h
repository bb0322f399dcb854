// A StreamMemory for tests: keeps what it is given, recalls what it is told to, fails on demand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "memory/memory.h"

namespace anabranch::testing {

// What a test sees and sets; it outlives the memory.
struct FakeMemoryLog {
  bool fail_append = false, fail_sync = false, fail_index = false, fail_recall = false;
  RecallResult recall;  // the answer to every query
  std::vector<JournalRecord> durable, buffered;
  std::vector<RecallQuery> queries;  // their texts are those of `asked`
  std::vector<std::string> asked, previous;
  int n_syncs = 0;
  std::function<void()> on_sync;
  std::string notice;
};

class FakeMemory final : public StreamMemory {
 public:
  explicit FakeMemory(FakeMemoryLog* log) : log_(log) {}

  Result<void> Append(JournalRecord record) override {
    if (log_->fail_append) return Failed();
    const auto& last = log_->buffered.empty() ? log_->durable : log_->buffered;
    if (!last.empty() && last.back().end() != record.begin) {
      return Fail(ErrorKind::kInvalid, "record", "is not contiguous");
    }
    log_->buffered.push_back(std::move(record));
    return {};
  }
  Result<void> Sync() override {
    ++log_->n_syncs;
    if (log_->on_sync) log_->on_sync();
    if (log_->fail_sync) return Failed();
    for (JournalRecord& record : log_->buffered) log_->durable.push_back(std::move(record));
    log_->buffered.clear();
    return {};
  }
  Result<void> Index(bool) override {
    if (log_->fail_index) return Failed();
    indexed_ = journal_end();
    return {};
  }
  Result<RecallResult> Recall(const RecallQuery& query) override {
    if (log_->fail_recall) return Failed();
    log_->queries.push_back(query);
    log_->asked.emplace_back(query.turn_text);
    log_->previous.emplace_back(query.previous_user_turn);
    return log_->recall;
  }
  StreamPos journal_end() const override {
    return log_->durable.empty() ? StreamPos(0) : log_->durable.back().end();
  }
  StreamPos indexed_end() const override { return indexed_; }
  int64_t next_turn() const override {
    return log_->durable.empty() ? 0 : log_->durable.back().turn + 1;
  }
  const std::string& notice() const override { return log_->notice; }
  Result<void> Read(StreamSpan span,
                    const std::function<Result<void>(const StoredRecord&)>& visit) const override {
    for (const JournalRecord& record : log_->durable) {
      if (!span.Overlaps({record.begin, record.end()})) continue;
      if (auto visited = visit({record, record.end(), 0}); !visited) return visited;
    }
    return {};
  }
  Result<std::string> LastCursor() const override {
    std::string cursor;
    for (const JournalRecord& record : log_->durable) {
      if (!record.source_cursor.empty()) cursor = record.source_cursor;
    }
    return cursor;
  }
  Result<std::unique_ptr<StreamMemory>> Fork() override {
    auto log = std::make_unique<FakeMemoryLog>(*log_);
    auto fork = std::make_unique<FakeMemory>(log.get());
    fork->own_log_ = std::move(log);
    return std::unique_ptr<StreamMemory>(std::move(fork));
  }

 private:
  static Failure Failed() { return Fail(ErrorKind::kIo, "memory", "the disk is full"); }

  FakeMemoryLog* log_;
  std::unique_ptr<FakeMemoryLog> own_log_;  // a fork's
  StreamPos indexed_;
};

}  // namespace anabranch::testing
