#include "stream/journal_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <system_error>
#include <utility>

namespace anabranch {

JournalWriter::JournalWriter(StreamMemory* memory, RememberedFn on_remembered)
    : memory_(memory), on_remembered_(std::move(on_remembered)) {
  if (memory_ == nullptr) return;
  reported_end_ = memory_->journal_end();
  reported_indexed_ = memory_->indexed_end();
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
    waiting_.back().source_cursor = fmt::format("{} byte {}", source_, source_byte_ + source_read_);
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
  if (waiting_.empty() || !continues(waiting_.back())) {
    JournalRecord& record = waiting_.emplace_back();
    record.turn = turn;
    record.role = role;
    record.kind = kind;
    record.begin = pos;
    record.time_ms = time_ms;
  }
  JournalRecord& record = waiting_.back();
  const auto offset = static_cast<uint32_t>(record.bytes.size());
  record.ids.insert(record.ids.end(), ids.begin(), ids.end());
  record.bytes += bytes;
  for (const uint32_t end : token_ends) record.token_ends.push_back(offset + end);
  n_waiting_ += static_cast<int64_t>(ids.size());
  n_added_ += static_cast<int64_t>(ids.size());
  if (!fault_.empty()) GiveUp(kMaxWaiting);
}

void JournalWriter::GiveUp(int64_t max_waiting) {
  while (n_waiting_ > max_waiting) {
    const JournalRecord& oldest = waiting_.front();
    if (n_gap_ == 0) {
      gap_.turn = oldest.turn;
      gap_.role = oldest.role;
      gap_.kind = RecordKind::kLost;
      gap_.begin = oldest.begin;
      gap_.time_ms = oldest.time_ms;
    }
    const auto n = static_cast<int64_t>(oldest.ids.size());
    n_gap_ += n;
    n_lost_ += n;
    n_waiting_ -= n;
    waiting_.pop_front();
  }
}

bool JournalWriter::AppendGap() {
  while (n_gap_ > 0) {
    const int64_t n = std::min(n_gap_, kMaxRecordTokens);
    JournalRecord record = gap_;
    record.ids.assign(static_cast<size_t>(n), TokenId(0));
    if (!Note(memory_->Append(std::move(record)))) return false;
    unsynced_ = true;
    gap_.begin += n;
    n_gap_ -= n;
  }
  return true;
}

void JournalWriter::HandOver() {
  if (!AppendGap()) return;
  while (!waiting_.empty()) {
    const auto n = static_cast<int64_t>(waiting_.front().ids.size());
    // A copy: what the memory refuses is still here for the next time.
    if (!Note(memory_->Append(waiting_.front()))) return;
    unsynced_ = true;
    n_waiting_ -= n;
    waiting_.pop_front();
  }
}

bool JournalWriter::SyncMemory() {
  unsynced_ = !Note(memory_->Sync());
  return !unsynced_;
}

bool JournalWriter::Note(const Result<void>& result) {
  if (!result && fault_.empty()) fault_ = result.error().Message();
  return result.has_value();
}

void JournalWriter::Sync() {
  Write();
  Report();
}

Result<void> JournalWriter::SyncBeside(const std::function<Result<void>()>& step) {
  const bool due = n_added_ >= kSyncTokens || (n_added_ > 0 && since_write_.Ms() > kSyncMs);
  if (!due) return step();
  std::future<void> written;
  try {
    written = std::async(std::launch::async, [this] { Write(); });
  } catch (const std::system_error&) {
    Write();  // no more threads
  }
  Result<void> done = step();
  if (written.valid()) written.get();
  Report();
  return done;
}

void JournalWriter::Write() {
  if (memory_ == nullptr) return;
  n_added_ = 0;
  since_write_ = Stopwatch();
  fault_.clear();
  // A memory that cannot write is given nothing more: what it buffers has no bound.
  if (unsynced_ && !SyncMemory()) return;
  HandOver();
  if (unsynced_) SyncMemory();
}

void JournalWriter::SyncBefore(StreamPos window_begin) {
  if (memory_ != nullptr && fault_.empty() && window_begin > memory_->journal_end()) Sync();
}

void JournalWriter::Index(bool end_of_turn) {
  if (memory_ == nullptr) return;
  Write();
  if (fault_.empty()) {
    const Result<void> indexed = memory_->Index(end_of_turn);
    index_fault_ = indexed ? "" : indexed.error().Message();
  }
  Report();
}

void JournalWriter::Report() {
  if (memory_ == nullptr || !on_remembered_) return;
  const StreamPos end = memory_->journal_end(), indexed = memory_->indexed_end();
  if (end == reported_end_ && indexed == reported_indexed_) return;
  reported_end_ = end;
  reported_indexed_ = indexed;
  on_remembered_(end, indexed);
}

}  // namespace anabranch
