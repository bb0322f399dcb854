// Committed tokens on their way into memory: one record per run of tokens of a turn and kind,
// handed over when the journal is synced.
//
// A memory that fails degrades recall and never stops the stream: the first fault is kept, what was
// not written is tried again at the next sync, and fault() is empty once that has worked. What
// waits is bounded: the oldest text of a memory that stays away is given up, and recorded as a gap
// when it is back.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/wall_clock.h"
#include "memory/memory.h"
#include "stream/turn_tokens.h"

namespace anabranch {

class JournalWriter {
 public:
  // Tokens that may wait for a memory that fails: some 2 MB.
  static constexpr int64_t kMaxWaiting = 65536;
  // An answer is durable up to these many tokens or milliseconds ago.
  static constexpr int64_t kSyncTokens = 32;
  static constexpr double kSyncMs = 250;

  // See StreamOptions::on_remembered.
  using RememberedFn = std::function<void(StreamPos end, StreamPos indexed)>;

  // `memory` may be null: then nothing is kept. It must outlive the writer.
  explicit JournalWriter(StreamMemory* memory, RememberedFn on_remembered = nullptr);
  // A writer over a fork of another's memory, with all that waits there; what a fork remembers is
  // reported to nobody. Right after a call of Index.
  JournalWriter(const JournalWriter& other, StreamMemory* fork);
  JournalWriter(JournalWriter&&) = default;

  // Tokens [begin, end) of a turn were committed at stream position `pos`.
  void AddTurn(int64_t turn, Role role, int64_t time_ms, StreamPos pos, const TurnTokens& tokens,
               int64_t begin, int64_t end);
  // One run of tokens of a kind; `bytes` and `token_ends` (relative to bytes) of text alone.
  void Add(int64_t turn, Role role, RecordKind kind, int64_t time_ms, StreamPos pos,
           std::span<const TokenId> ids, std::string_view bytes,
           std::span<const uint32_t> token_ends);

  // Kept with what is added from now on: see Stream::SetSource.
  void SetSource(std::string source, int64_t first_byte = 0) {
    source_ = std::move(source);
    source_byte_ = first_byte;
  }

  // Makes everything added durable.
  void Sync();
  // Begins to sync what has waited for kSyncTokens or kSyncMs, on a thread of its own: the
  // model's next steps run beside it, and a disk that takes its time costs them nothing. Until
  // another method but Add has returned, the memory is that thread's.
  void SyncBeside();
  // Sync, if a window that begins at `window_begin` would evict what is not durable yet. A memory
  // that has just failed is not asked again: Sync does that, less often.
  void SyncBefore(StreamPos window_begin);
  // Sync, then cuts and embeds what is new.
  void Index(bool end_of_turn);

  // The oldest text that still waits is given up until at most max_waiting tokens are left.
  void GiveUp(int64_t max_waiting);

  // Why the memory last failed to write, else to index; empty: it works.
  const std::string& fault() const { return fault_.empty() ? index_fault_ : fault_; }
  int64_t n_lost() const { return n_lost_; }  // tokens that were given up

 private:
  // What the memory has not taken yet: a gap, and records behind it.
  struct Backlog {
    JournalRecord gap;  // what was given up: its begin, turn and role,
    int64_t n_gap = 0;  // and how many tokens; ids stay empty
    std::deque<JournalRecord> records;
    int64_t n_tokens = 0;  // of the records
  };
  // A write and what came of it. `backlog` is what is left to do.
  struct Write {
    Backlog backlog;
    bool unsynced = false;  // the memory was handed records that it has not yet written
    std::string fault;
  };

  // Hands the backlog over as far as the memory takes it, and syncs that.
  static void Run(StreamMemory* memory, Write* write);
  void Begin();      // what waits becomes write_
  void Finish();     // what is left of write_ waits again
  void Settle();     // ends what SyncBeside began
  void WriteHere();  // all that waits, on this thread
  void Report();     // what is durable and indexed, if there is more of it

  StreamMemory* memory_;
  Backlog waiting_;        // the last record grows by what continues it
  int64_t n_added_ = 0;    // tokens since the last try to write,
  Stopwatch since_write_;  // and how long ago that was
  int64_t n_lost_ = 0;
  std::string source_;
  int64_t source_byte_ = 0;  // where the turn's text begins in its source
  int64_t source_read_ = 0;  // how much of that text was added
  RememberedFn on_remembered_;
  StreamPos durable_end_;  // of what the memory has
  StreamPos reported_end_, reported_indexed_;
  std::string fault_, index_fault_;
  std::unique_ptr<Write> write_ = std::make_unique<Write>();  // the thread's while it runs
  std::future<void> running_;  // last: it is awaited before what it works on goes
};

}  // namespace anabranch
