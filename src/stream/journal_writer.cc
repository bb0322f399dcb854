#include "stream/journal_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

namespace anabranch {

JournalWriter::JournalWriter(StreamMemory* memory, RememberedFn on_remembered)
    : memory_(memory), on_remembered_(std::move(on_remembered)) {
  if (memory_ == nullptr) return;
  durable_end_ = reported_end_ = memory_->journal_end();
  reported_indexed_ = memory_->indexed_end();
}

JournalWriter::JournalWriter(const JournalWriter& other, StreamMemory* fork)
    : JournalWriter(fork, nullptr) {
  waiting_ = other.waiting_;
  write_->unsynced = other.write_->unsynced;
  n_added_ = other.n_added_;
  n_lost_ = other.n_lost_;
  source_ = other.source_;
  source_byte_ = other.source_byte_;
  source_read_ = other.source_read_;
  fault_ = other.fault_;
  index_fault_ = other.index_fault_;
}

void JournalWriter::AddTurn(int64_t turn, Role role, int64_t time_ms, StreamPos pos,
                            const TurnTokens& tokens, int64_t begin, int64_t end) {
  if (memory_ == nullptr) return;
  for (const JournalRecord& record : RecordsOf(tokens, begin, end)) {
    Add(turn, role, record.kind, time_ms, pos + record.begin.value(), record.ids, record.bytes,
        record.token_ends);
    if (source_.empty()) continue;
    const int64_t last = begin + record.end().value();
    // The footer of a turn whose reading was interrupted reads no more of it.
    if (last <= tokens.text_end) source_read_ = tokens.TextByte(last);
    waiting_.records.back().source_cursor =
        fmt::format("{} byte {}", source_, source_byte_ + source_read_);
  }
}

void JournalWriter::Add(int64_t turn, Role role, RecordKind kind, int64_t time_ms, StreamPos pos,
                        std::span<const TokenId> ids, std::string_view bytes,
                        std::span<const uint32_t> token_ends) {
  if (memory_ == nullptr || ids.empty()) return;
  const auto continues = [&](const JournalRecord& last) {
    return last.turn == turn && last.kind == kind && last.end() == pos &&
           static_cast<int64_t>(last.ids.size()) < kMaxRecordTokens;
  };
  std::deque<JournalRecord>& records = waiting_.records;
  if (records.empty() || !continues(records.back())) {
    JournalRecord& record = records.emplace_back();
    record.turn = turn;
    record.role = role;
    record.kind = kind;
    record.begin = pos;
    record.time_ms = time_ms;
  }
  JournalRecord& record = records.back();
  const auto offset = static_cast<uint32_t>(record.bytes.size());
  record.ids.insert(record.ids.end(), ids.begin(), ids.end());
  record.bytes += bytes;
  for (const uint32_t end : token_ends) record.token_ends.push_back(offset + end);
  waiting_.n_tokens += static_cast<int64_t>(ids.size());
  n_added_ += static_cast<int64_t>(ids.size());
  if (!fault_.empty() && waiting_.n_tokens > kMaxWaiting) GiveUp(kMaxWaiting);
}

void JournalWriter::GiveUp(int64_t max_waiting) {
  Settle();
  while (waiting_.n_tokens > max_waiting) {
    const JournalRecord& oldest = waiting_.records.front();
    if (waiting_.n_gap == 0) {
      waiting_.gap.turn = oldest.turn;
      waiting_.gap.role = oldest.role;
      waiting_.gap.kind = RecordKind::kLost;
      waiting_.gap.begin = oldest.begin;
      waiting_.gap.time_ms = oldest.time_ms;
    }
    const auto n = static_cast<int64_t>(oldest.ids.size());
    waiting_.n_gap += n;
    n_lost_ += n;
    waiting_.n_tokens -= n;
    waiting_.records.pop_front();
  }
}

void JournalWriter::Run(StreamMemory* memory, Write* write) {
  Backlog& left = write->backlog;
  const auto note = [&](const Result<void>& result) {
    if (!result && write->fault.empty()) write->fault = result.error().Message();
    return result.has_value();
  };
  const auto append = [&](JournalRecord record) {
    const bool taken = note(memory->Append(std::move(record)));
    write->unsynced = write->unsynced || taken;
    return taken;
  };
  const auto sync = [&] {
    write->unsynced = !note(memory->Sync());
    return !write->unsynced;
  };
  // A memory that cannot write is given nothing more: what it buffers has no bound.
  if (write->unsynced && !sync()) return;
  while (left.n_gap > 0) {
    const int64_t n = std::min(left.n_gap, kMaxRecordTokens);
    JournalRecord record = left.gap;
    record.ids.assign(static_cast<size_t>(n), TokenId(0));
    if (!append(std::move(record))) break;
    left.gap.begin += n;
    left.n_gap -= n;
  }
  while (left.n_gap == 0 && !left.records.empty()) {
    // A copy: what the memory refuses is still here for the next time.
    if (!append(left.records.front())) break;
    left.n_tokens -= static_cast<int64_t>(left.records.front().ids.size());
    left.records.pop_front();
  }
  if (write->unsynced) sync();
}

void JournalWriter::Begin() {
  n_added_ = 0;
  since_write_ = Stopwatch();
  write_->backlog = std::exchange(waiting_, {});
  write_->fault.clear();
}

void JournalWriter::Finish() {
  Backlog left = std::exchange(write_->backlog, {});
  std::move(waiting_.records.begin(), waiting_.records.end(), std::back_inserter(left.records));
  left.n_tokens += waiting_.n_tokens;
  waiting_ = std::move(left);
  fault_ = write_->fault;
  durable_end_ = memory_->journal_end();
}

void JournalWriter::Settle() {
  if (!running_.valid()) return;
  running_.get();
  Finish();
}

void JournalWriter::WriteHere() {
  Settle();
  Begin();
  Run(memory_, write_.get());
  Finish();
}

void JournalWriter::Sync() {
  if (memory_ == nullptr) return;
  WriteHere();
  Report();
}

void JournalWriter::SyncBeside() {
  if (running_.valid()) {
    if (running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    Settle();
    Report();
  }
  if (n_added_ < kSyncTokens && (n_added_ == 0 || since_write_.Ms() <= kSyncMs)) return;
  Begin();
  try {
    running_ = std::async(std::launch::async,
                          [memory = memory_, write = write_.get()] { Run(memory, write); });
  } catch (const std::system_error&) {  // no more threads
    Run(memory_, write_.get());
    Finish();
    Report();
  }
}

void JournalWriter::SyncBefore(StreamPos window_begin) {
  if (memory_ == nullptr || window_begin <= durable_end_) return;
  Settle();
  if (fault_.empty() && window_begin > durable_end_) Sync();
}

void JournalWriter::Index(bool end_of_turn) {
  if (memory_ == nullptr) return;
  WriteHere();
  if (fault_.empty()) {
    const Result<void> indexed = memory_->Index(end_of_turn);
    index_fault_ = indexed ? "" : indexed.error().Message();
  }
  Report();
}

void JournalWriter::Report() {
  if (!on_remembered_) return;
  const StreamPos end = durable_end_, indexed = memory_->indexed_end();
  if (end == reported_end_ && indexed == reported_indexed_) return;
  reported_end_ = end;
  reported_indexed_ = indexed;
  on_remembered_(end, indexed);
}

}  // namespace anabranch
