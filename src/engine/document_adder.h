// Documents on their way into a stream: cut, written as turns, indexed.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "anabranch/documents.h"
#include "anabranch/stream.h"
#include "base/result.h"
#include "engine/model_turns.h"
#include "memory/document_cursor.h"
#include "memory/memory.h"
#include "stream/turn_tokens.h"
#include "text/document_cutter.h"

namespace anabranch {

class DocumentAdder {
 public:
  // Reads what the stream has of documents, and ends its last turn if that is open. `turns`,
  // `memory` and `cancel` must outlive it.
  static Result<DocumentAdder> Open(const ModelTurns& turns, StreamMemory* memory,
                                    const std::atomic<bool>* cancel, ProgressFn on_progress,
                                    int64_t total_bytes);

  // Durable when it returns, whatever it returns; indexed but for the last few turns. Error
  // kInterrupted: `cancel` was set; kUnsupported: it is no text.
  Result<DocumentReport> Add(const Document& document);

 private:
  // What the stream has of a document.
  struct Stored {
    StreamSpan span;
    int64_t first_turn = -1, last_turn = -1, turns = 0;
    int64_t end = 0;                       // bytes of it that were read
    bool whole = false, has_text = false;  // what is forgotten is no text
    std::map<int64_t, int64_t> text_at;    // of one that is not whole: where its turns' text begins
                                           // in the journal, by their first byte
  };
  // One that is being added.
  struct Adding;

  DocumentAdder(TurnEncoder encoder, StreamMemory* memory, const std::atomic<bool>* cancel,
                ProgressFn on_progress, int64_t total_bytes)
      : encoder_(std::move(encoder)),
        memory_(memory),
        cancel_(cancel),
        on_progress_(std::move(on_progress)),
        total_bytes_(total_bytes) {}
  Result<void> ReadJournal();
  // Takes a record of a document in. `text_begin`: of its text in the journal, if a later call may
  // have to go on behind it.
  void Note(const JournalRecord& record, std::optional<int64_t> text_begin);
  std::optional<StreamSpan> Earlier(const Document& document) const;
  Result<void> AddPieces(Adding* adding);
  Result<void> AddPiece(std::string_view piece, Adding* adding);
  Result<void> AddTurn(std::string_view body, int64_t begin, Adding* adding);
  Result<void> Index();
  void Report(int64_t bytes) const;

  TurnEncoder encoder_;
  StreamMemory* memory_;
  const std::atomic<bool>* cancel_;
  ProgressFn on_progress_;
  int64_t total_bytes_ = 0, done_bytes_ = 0;

  std::unordered_map<std::string, Stored> stored_;       // by Document::contents
  std::unordered_map<std::string, std::string> latest_;  // contents by path
  // Of the journal and what was appended.
  bool empty_ = true;
  StreamPos end_;
  int64_t text_end_ = 0, turn_ = -1;
  Role last_role_ = Role::kUser;
  int64_t unindexed_bytes_ = 0;
};

}  // namespace anabranch
