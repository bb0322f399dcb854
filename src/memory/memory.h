// Memory: what a stream said, kept for ever and found again.
//
// A Memory is one store (SQLite: journal and index in one file) with one embedder. A StreamMemory
// is one stream's place in it: its only writer, and what it recalls from.
//
// Positions: A acknowledged <= J durable in the journal <= next; I indexed <= J
// (docs/architecture). Threads: one at a time per Memory and all its streams.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/memory.h"
#include "anabranch/types.h"
#include "base/result.h"
#include "memory/journal.h"
#include "memory/turn_coder.h"
#include "tensor/plan.h"
#include "text/cutter.h"

namespace anabranch {

// The sentence embedder as memory needs it. The functions may be called while Memory lives.
struct EmbedderHandle {
  int32_t width = 384;
  std::string fingerprint;  // of its weights and vocabulary: a store refuses another one
  CountPieces count_pieces;
  CutOptions units{};  // their sizes: an evaluation's choice, everybody else's default
  // texts -> [n, width], unit length.
  std::function<Result<void>(std::span<const std::string_view>, std::span<float>)> embed;
  // scores[i] = vectors[i] . query; vectors [n, width] row-major.
  std::function<void(std::span<const float> vectors, std::span<const float> query,
                     std::span<float> scores)>
      scan;
  // dots[q, i] = code i . query q (KernelTable::scan_codes).
  std::function<void(const CodeRows& codes, std::span<const int16_t> queries,
                     std::span<int32_t> dots)>
      scan_codes;
};

struct RecallPolicy;

struct RecallQuery {
  std::string_view turn_text{};           // the user turn, or its part after the split
  std::string_view previous_user_turn{};  // for a short or anaphoric question; may be empty
  RecallMode mode = RecallMode::kEvicted;
  // The context when mode is kEvicted: what lies wholly within the pinned part and the window,
  // [window_begin, …), is dropped. A resumed stream has said things before its pinned part.
  StreamSpan pinned{};
  StreamPos window_begin{};
  StreamSpan exclude{};         // the current turn from its split on: never recalled
  int32_t chunk_size = 40;      // tokens of a passage; a longer sentence stays whole
  int32_t recall_tokens = 400;  // tokens of all passages at most
  // The best cosine decides alone; empty: decided from query and store (decision.h).
  std::optional<float> threshold = std::nullopt;
  const RecallPolicy* policy = nullptr;  // null: what ships (recall_policy.h)
  // The recall before this one goes on: what it waited for a server counts.
  bool continues = false;
};

class StreamMemory {
 public:
  virtual ~StreamMemory() = default;

  // Buffers a record; it is not durable before Sync. Errors: not contiguous with the last one.
  virtual Result<void> Append(JournalRecord record) = 0;
  // Writes and syncs all that was appended: J becomes the last record's end.
  virtual Result<void> Sync() = 0;
  // Cuts, embeds and indexes [I, J) as far as it is settled. A run of turns by one role is one
  // text, so its last sentences are settled only when another role speaks: until then they are the
  // pending tail. Not so a document's turn, which is a text of its own. `end_of_turn`: embeds the
  // tail too, so that Recall need not.
  virtual Result<void> Index(bool end_of_turn) = 0;
  // Passages for the query, in stream order. The pending tail is searched too.
  virtual Result<RecallResult> Recall(const RecallQuery& query) = 0;

  virtual StreamPos journal_end() const = 0;  // J
  virtual StreamPos indexed_end() const = 0;  // I
  virtual int64_t next_turn() const = 0;      // the turn number that a new turn gets
  // What opening it had to repair, for people; "": nothing.
  virtual const std::string& notice() const = 0;

  // Calls visit for the durable records that overlap a span, in order. Error kUnsupported: a fork.
  virtual Result<void> Read(
      StreamSpan span, const std::function<Result<void>(const StoredRecord&)>& visit) const = 0;
  // The newest source cursor that is not empty, and not a document's (document_cursor.h).
  virtual Result<std::string> LastCursor() const = 0;

  // A private memory over this one: it recalls what this one holds now, and what it is given itself
  // is seen by nobody else and kept in RAM. This one must outlive it.
  virtual Result<std::unique_ptr<StreamMemory>> Fork() = 0;
};

// Called often while work goes on that takes a while; an error ends it. `stage` is "index" or
// "server", done and total are bytes of text (0: not known).
using StepFn = std::function<Result<void>(const char* stage, int64_t done, int64_t total)>;

struct ImportPlan {
  std::string stream{};        // a new name for the only stream of the export; "": as exported
  TurnCoder* coder = nullptr;  // writes the text of all turns anew, at new positions; null: none
  StepFn on_step{};
};

// Recalls from a stream that somebody else may be writing, as it is in the store at that moment.
// Holds no lock.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  virtual const std::string& name() const = 0;
  virtual Result<RecallResult> Recall(const RecallQuery& query) = 0;
};

class Memory {
 public:
  virtual ~Memory() = default;

  // The writer of stream `name`, created when it does not exist. `tokenizer_fingerprint` must be
  // the stream's. Error kBusy names the process that holds it.
  virtual Result<std::unique_ptr<StreamMemory>> OpenStream(
      const std::string& name, const std::string& tokenizer_fingerprint) = 0;

  // A reader of stream `name`, whatever its tokenizer. Error kNotFound names the streams there are.
  virtual Result<std::unique_ptr<StreamReader>> OpenReader(const std::string& name) = 0;

  // For the `memory` command. stream "": all streams. Error kNotFound: no stream of that name.
  virtual Result<std::vector<MemoryStreamInfo>> List() = 0;
  virtual Result<std::vector<Passage>> Search(const std::string& stream, std::string_view query,
                                              int32_t k) = 0;
  // What was said in a span, by turn.
  virtual Result<std::vector<MemoryTurn>> Show(const std::string& stream, StreamSpan span) = 0;
  // Whole units go: a span is widened to those that it touches. Forgotten text becomes a gap in the
  // journal; positions and turns count on. What is reached is in the result (ForgetGrade); what is
  // left to do is noted in the file, and done by whoever opens it next. Error kBusy: another
  // process writes to the stream.
  virtual Result<ForgetResult> Forget(const std::string& stream, const ForgetSelection& what,
                                      bool dry_run) = 0;
  // The journal as lines of JSON (docs/formats.md). stream "": all streams.
  virtual Result<void> Export(const std::string& stream, const LineSink& sink) = 0;
  // Reads an export, each stream whole or not at all, indexes it and brings it to the server.
  // Errors name the line: kCorrupt: damaged or incomplete; kInvalid: the stream is there already;
  // kUnsupported: a newer version. What was whole before the error stays.
  virtual Result<StreamsReport> Import(const LineSource& next, const ImportPlan& plan) = 0;
  // Indexes what is settled of a stream that nobody writes to, and brings it to the server.
  virtual Result<StreamsReport> Settle(const std::string& stream, const StepFn& on_step) = 0;
  virtual Result<VerifyReport> Verify() = 0;
  virtual Result<int64_t> DiskBytes() const = 0;
};

struct MemoryOptions {
  // Of a server's memory: the local file that is written first (docs/architecture.md).
  std::string journal{};
  std::string password{};                          // of PostgreSQL, or Chroma's token
  std::string ca_file{};                           // certificates to trust beside the system's
  std::chrono::milliseconds recall_timeout{2000};  // that a recall waits for the server
};

// location: "" (for this process only: a private temporary database), "sqlite:FILE" or FILE; or a
// server: postgresql://USER@HOST:PORT/DB, chroma:http(s)://HOST:PORT[/TENANT/DATABASE].
// Errors: a file that is no database of ours, a newer schema, another embedder's vectors, a journal
// of another server. A server that does not answer is no error: opening a stream asks it first.
// Without an embedder (embed is empty) the memory can list, show, forget and verify, but neither
// index nor recall.
Result<std::unique_ptr<Memory>> OpenMemory(const std::string& location, EmbedderHandle embedder,
                                           const MemoryOptions& options = {});

}  // namespace anabranch
