// Committed tokens on their way into memory: one record per run of tokens of a turn and kind, handed
// over when the journal is synced.
//
// A memory that fails degrades recall and never stops the stream: the first fault is kept, what was
// not written is tried again at the next sync, and fault() is empty once that has worked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "memory/memory.h"
#include "stream/turn_tokens.h"

namespace anabranch {

class JournalWriter {
 public:
  // `memory` may be null: then nothing is kept. It must outlive the writer.
  explicit JournalWriter(StreamMemory* memory) : memory_(memory) {}

  // Tokens [begin, end) of a turn were committed at stream position `pos`.
  void AddTurn(int64_t turn, Role role, int64_t time_ms, StreamPos pos, const TurnTokens& tokens,
               int64_t begin, int64_t end);
  // One run of tokens of a kind; `bytes` and `token_ends` (relative to bytes) of text alone.
  void Add(int64_t turn, Role role, RecordKind kind, int64_t time_ms, StreamPos pos,
           std::span<const TokenId> ids, std::string_view bytes,
           std::span<const uint32_t> token_ends);

  // Makes everything added durable.
  void Sync();
  // Sync, if a window that begins at `window_begin` would evict what is not durable yet.
  void SyncBefore(StreamPos window_begin);
  // Sync, then cuts and embeds what is new.
  void Index(bool end_of_turn);

  const std::string& fault() const { return fault_; }

 private:
  void HandOver();
  void Note(const Result<void>& result);

  StreamMemory* memory_;
  std::optional<JournalRecord> open_;  // grows by what continues it
  std::string fault_;
};

}  // namespace anabranch
