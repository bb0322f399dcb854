// One stream's memory in a SQLite store: its only writer, or a fork of one.
//
// Invariants: stored_ is J; records of buffer_ continue it without a gap; layer_ holds all units of
// the store; text behind indexed_text_ is the pending tail.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "memory/decision.h"
#include "memory/index_layer.h"
#include "memory/memory.h"
#include "memory/server.h"
#include "memory/stream_lock.h"

namespace anabranch {

struct CutRun;

// The embedder and what is derived from it once, for all streams of a memory.
struct SharedEmbedder {
  EmbedderHandle handle;
  std::optional<NullEmbeddings> null;

  // Error kInvalid: the memory was opened without an embedder.
  Result<void> Prepare();
};

class StreamStore : public StreamMemory {
 public:
  // Reads the index of stream row `stream`. All that is pointed to must outlive it.
  static Result<std::unique_ptr<StreamStore>> Open(Database* db, SharedEmbedder* embedder,
                                                   int64_t stream, const std::string& name,
                                                   StreamLock lock);
  ~StreamStore() override;
  // Called when it ends.
  void set_on_close(std::function<void()> on_close) { on_close_ = std::move(on_close); }
  // Called as Index goes on.
  void set_on_step(StepFn on_step) { on_step_ = std::move(on_step); }
  void set_notice(std::string notice) { notice_ = std::move(notice); }

  // The server that the index is on; it outlives this.
  void set_server(Server* server, const RemoteStreamInfo& at_server) {
    server_ = server;
    at_server_ = at_server;
  }

  Result<void> Append(JournalRecord record) override;
  Result<void> Sync() override;
  Result<void> Index(bool end_of_turn) override;
  Result<RecallResult> Recall(const RecallQuery& query) override;
  StreamPos journal_end() const override { return stored_.end; }
  StreamPos indexed_end() const override;
  int64_t next_turn() const override { return appended_.turn + 1; }
  const std::string& notice() const override { return notice_; }
  Result<void> Read(StreamSpan span,
                    const std::function<Result<void>(const StoredRecord&)>& visit) const override;
  Result<std::string> LastCursor() const override { return layer_.journal.LastCursor(); }
  Result<std::unique_ptr<StreamMemory>> Fork() override;

  // Recall of a store that is not the stream's writer: first takes in what that has done since.
  // Error kInvalid: the memory was indexed anew, maybe with another embedder.
  Result<RecallResult> RecallAsReader(const RecallQuery& query);
  // Units that a query finds, by cosine alone, best first (the `memory search` command).
  Result<std::vector<Passage>> Search(std::string_view query, size_t k);
  // Reads index and journal again, after Forget has changed them.
  Result<void> Reload();
  const std::string& name() const { return name_; }

 private:
  // What the units in RAM were read from.
  struct LoadedAt {
    uint64_t removals = 0;
    int64_t indexed_text = 0, counted_text = 0;
    std::string generation;  // of the index
    friend bool operator==(const LoadedAt&, const LoadedAt&) = default;
  };

  StreamStore(Database* db, SharedEmbedder* embedder, int64_t stream, const std::string& name,
              StreamLock lock);
  Result<LoadedAt> Now() const;
  Result<void> LoadUnits();
  Result<void> AddSettled(CutRun* settled);
  Result<void> FindIndexedEnd();
  // Cuts the pending tail, and embeds what the query may be given of it: all else is not waited
  // for.
  Result<TailUnits> Tail(const RecallQuery& query);
  Result<std::vector<float>> Embed(std::span<const UnitRow> units,
                                   std::span<const std::string_view> texts);
  std::vector<const IndexLayer*> Layers() const;
  Result<void> CopyPending(StreamStore* fork) const;

  std::unique_ptr<Database> own_db_;  // of a fork, in RAM
  SharedEmbedder* embedder_;
  std::string name_;
  StreamLock lock_;
  Server* server_ = nullptr;  // null: none
  RemoteStreamInfo at_server_;
  std::function<void()> on_close_;
  StepFn on_step_;
  std::string notice_;
  std::vector<const IndexLayer*> below_;  // of a fork: those it reads from, the oldest first
  IndexLayer layer_;
  JournalEnd stored_, appended_;
  std::vector<JournalRecord> buffer_;
  LoadedAt loaded_at_;
  int64_t indexed_text_ = 0;
  StreamPos indexed_end_;
  std::vector<float> null_scores_;
  // Vectors of the tail's units by their text, until they are indexed.
  std::map<std::pair<int64_t, int64_t>, std::vector<float>> tail_vectors_;
};

}  // namespace anabranch
