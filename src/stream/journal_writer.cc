#include "stream/journal_writer.h"

#include <algorithm>
#include <utility>

namespace anabranch {
namespace {

template <typename T>
std::span<const T> Slice(const std::vector<T>& values, int64_t begin, int64_t end) {
  return std::span<const T>(values).subspan(static_cast<size_t>(begin),
                                            static_cast<size_t>(end - begin));
}

}  // namespace

void JournalWriter::AddTurn(int64_t turn, Role role, int64_t time_ms, StreamPos pos,
                            const TurnTokens& tokens, int64_t begin, int64_t end) {
  const auto add = [&](RecordKind kind, int64_t from, int64_t to) {
    from = std::max(from, begin);
    to = std::min(to, end);
    if (from >= to) return;
    std::string_view bytes;
    std::vector<uint32_t> ends;
    if (kind == RecordKind::kText) {
      const int64_t first = from - tokens.text_begin, last = to - tokens.text_begin;
      const uint32_t byte_begin =
          first == 0 ? 0 : tokens.text_ends[static_cast<size_t>(first - 1)];
      const uint32_t byte_end = tokens.text_ends[static_cast<size_t>(last - 1)];
      bytes = std::string_view(tokens.text).substr(byte_begin, byte_end - byte_begin);
      for (const uint32_t e : Slice(tokens.text_ends, first, last)) ends.push_back(e - byte_begin);
    }
    Add(turn, role, kind, time_ms, pos + (from - begin), Slice(tokens.ids, from, to), bytes, ends);
  };
  add(RecordKind::kTemplate, 0, tokens.text_begin);
  add(RecordKind::kText, tokens.text_begin, tokens.text_end);
  add(RecordKind::kTemplate, tokens.text_end, tokens.size());
}

void JournalWriter::Add(int64_t turn, Role role, RecordKind kind, int64_t time_ms, StreamPos pos,
                        std::span<const TokenId> ids, std::string_view bytes,
                        std::span<const uint32_t> token_ends) {
  if (memory_ == nullptr) return;
  if (open_ && (open_->turn != turn || open_->kind != kind || open_->end() != pos)) HandOver();
  if (!open_) {
    open_.emplace();
    open_->turn = turn;
    open_->role = role;
    open_->kind = kind;
    open_->begin = pos;
    open_->time_ms = time_ms;
  }
  const uint32_t offset = static_cast<uint32_t>(open_->bytes.size());
  open_->ids.insert(open_->ids.end(), ids.begin(), ids.end());
  open_->bytes += bytes;
  for (const uint32_t end : token_ends) open_->token_ends.push_back(offset + end);
}

void JournalWriter::HandOver() {
  if (!open_) return;
  Note(memory_->Append(*std::exchange(open_, std::nullopt)));
}

void JournalWriter::Note(const Result<void>& result) {
  if (!result && fault_.empty()) fault_ = result.error().Message();
}

void JournalWriter::Sync() {
  if (memory_ == nullptr) return;
  fault_.clear();
  HandOver();
  Note(memory_->Sync());
}

void JournalWriter::SyncBefore(StreamPos window_begin) {
  if (memory_ != nullptr && window_begin > memory_->journal_end()) Sync();
}

void JournalWriter::Index(bool end_of_turn) {
  if (memory_ == nullptr) return;
  Sync();
  if (fault_.empty()) Note(memory_->Index(end_of_turn));
}

}  // namespace anabranch
