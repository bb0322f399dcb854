#include "memory/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "memory/export_format.h"
#include "memory/journal_store.h"
#include "memory/schema.h"

namespace anabranch {
namespace {

// Room for a stream to go on: no sum of what an export says and what is said later overflows.
constexpr int64_t kMost = kMaxCoordinate / 2;

// Error kInvalid: the stream has records. Its lock is held.
Result<void> CheckEmpty(Database* db, const std::string& stream) {
  ASSIGN_OR_RETURN(Statement select, db->Prepare("SELECT id FROM stream WHERE name = ?1"));
  ASSIGN_OR_RETURN(const bool row, select.BindText(1, stream).Step());
  if (!row) return {};
  ASSIGN_OR_RETURN(const int64_t records, JournalStore(db, select.Int(0)).Count());
  if (records == 0) return {};
  return Fail(ErrorKind::kInvalid, "",
              fmt::format("{} has a stream '{}' already", db->name(), stream),
              "give it another name with --stream");
}

// The row of a stream, made if it is not there.
Result<int64_t> MakeStream(Database* db, const ImportedStream& stream) {
  ASSIGN_OR_RETURN(Statement insert,
                   db->Prepare("INSERT INTO stream(name, tokenizer) VALUES(?1, ?2) "
                               "ON CONFLICT DO UPDATE SET tokenizer = ?2 RETURNING id"));
  RETURN_IF_ERROR(insert.BindText(1, stream.name).BindText(2, stream.tokenizer).Step());
  const int64_t id = insert.Int(0);
  RETURN_IF_ERROR(insert.Run());
  return id;
}

// One stream on its way in. It is collected beside the memory, and written in one transaction once
// it is whole: nobody else who writes to the file waits for where it comes from.
class StreamImport {
 public:
  static Result<StreamImport> Begin(Database* db, const ExportStream& exported,
                                    const ImportPlan& plan, const ClaimFn& claim) {
    const ImportedStream stream = {plan.stream.empty() ? exported.name : plan.stream,
                                   plan.coder ? plan.coder->fingerprint() : exported.tokenizer};
    if (stream.name.empty()) return Fail(ErrorKind::kCorrupt, "", "the stream has no name");
    ASSIGN_OR_RETURN(StreamLock lock, claim(stream.name));
    RETURN_IF_ERROR(CheckEmpty(db, stream.name));
    ASSIGN_OR_RETURN(std::unique_ptr<Database> collected, OpenStore("", "what is imported"));
    ASSIGN_OR_RETURN(const int64_t id, MakeStream(collected.get(), stream));
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(collected.get()));
    return StreamImport(db, std::move(collected), id, stream, plan.coder, std::move(lock),
                        std::move(transaction));
  }

  Result<void> Add(StoredRecord stored) {
    const JournalRecord& record = stored.record;
    if (record.begin != end_) return Disorder("begin", record.begin.value(), end_.value());
    if (stored.text_begin < text_end_) return Disorder("text_begin", stored.text_begin, text_end_);
    if (record.turn < turn_) return Disorder("turn", record.turn, turn_);
    if (record.turn == turn_ && record.role != role_) {
      return Fail(ErrorKind::kCorrupt, "", fmt::format("turn {} has two roles", record.turn));
    }
    if (std::max({stored.end.value(), stored.text_end(), record.turn}) > kMost) {
      return Fail(ErrorKind::kCorrupt, "", "its numbers leave a stream no room to go on");
    }
    ++records_;
    end_ = stored.end;
    text_end_ = stored.text_end();
    const bool new_turn = record.turn != turn_;
    turn_ = record.turn;
    role_ = record.role;
    if (coder_ == nullptr) return journal_.InsertStored(stored);
    if (new_turn) RETURN_IF_ERROR(FlushTurn());
    if (record.kind != RecordKind::kText) return {};
    if (!record.source_cursor.empty()) source_ = record.source_cursor;
    if (text_.empty()) {
      text_role_ = record.role;
      text_time_ms_ = record.time_ms;
    } else if (stored.text_begin != text_piece_end_) {
      text_ += '\n';  // something between is missing
    }
    text_ += record.bytes;
    text_piece_end_ = stored.text_end();
    return {};
  }

  Result<ImportedStream> End(const ExportEnd& end) {
    if (end.records != records_) {
      return Fail(ErrorKind::kCorrupt, "",
                  fmt::format("the stream ends after {} of {} records", records_, end.records));
    }
    if (coder_ != nullptr) RETURN_IF_ERROR(FlushTurn());
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_));
    ASSIGN_OR_RETURN(const int64_t id, MakeStream(db_, stream_));
    JournalStore journal(db_, id);
    RETURN_IF_ERROR(journal_.ForEach(
        kAllPositions, [&](const StoredRecord& stored) { return journal.InsertStored(stored); }));
    RETURN_IF_ERROR(transaction.Commit());
    return stream_;
  }

 private:
  StreamImport(Database* db, std::unique_ptr<Database> collected, int64_t id, ImportedStream stream,
               TurnCoder* coder, StreamLock lock, Transaction transaction)
      : db_(db),
        collected_(std::move(collected)),
        journal_(collected_.get(), id),
        stream_(std::move(stream)),
        coder_(coder),
        lock_(std::move(lock)),
        transaction_(std::move(transaction)) {}

  static Failure Disorder(const char* what, int64_t value, int64_t at) {
    return Fail(ErrorKind::kCorrupt, "",
                fmt::format("\"{}\" is {}, and the record before leads to {}", what, value, at));
  }

  // Writes the turn whose text was collected, at the next positions.
  Result<void> FlushTurn() {
    if (text_.empty()) return {};
    const StreamPos begin = new_end_.empty ? StreamPos(0) : new_end_.end;
    const int64_t turn = new_end_.turn + 1;
    for (JournalRecord& record : coder_->Encode(text_role_, text_)) {
      record.begin = begin + record.begin.value();
      record.turn = turn;
      record.time_ms = text_time_ms_;
      record.source_cursor = source_;
      RETURN_IF_ERROR(journal_.Insert(record, &new_end_));
    }
    text_.clear();
    source_.clear();
    return {};
  }

  Database* db_;
  std::unique_ptr<Database> collected_;
  JournalStore journal_;  // of it
  ImportedStream stream_;
  TurnCoder* coder_;
  StreamLock lock_;
  Transaction transaction_;  // of what is collected; it is rolled back in the end

  // The last record read.
  int64_t records_ = 0;
  StreamPos end_;
  int64_t text_end_ = 0;
  int64_t turn_ = -1;
  Role role_ = Role::kUser;
  // With a coder: the text of the turn that is being read, and what was written.
  std::string text_, source_;
  Role text_role_ = Role::kUser;
  int64_t text_time_ms_ = 0, text_piece_end_ = 0;
  JournalEnd new_end_;
};

class Importer {
 public:
  Importer(Database* db, const ImportPlan& plan, const ClaimFn& claim)
      : db_(db), plan_(plan), claim_(claim) {}

  Result<void> Take(ExportLine line) {
    return std::visit([this](auto& value) { return On(std::move(value)); }, line);
  }

  Result<std::vector<ImportedStream>> Finish() {
    if (!header_) return Fail(ErrorKind::kCorrupt, "", "is empty");
    if (stream_) return Fail(ErrorKind::kCorrupt, "", "ends within a stream");
    return std::move(done_);
  }

 private:
  Result<void> On(ExportHeader header) {
    if (header_) return Fail(ErrorKind::kCorrupt, "", "a second header");
    if (header.version != kExportVersion) {
      return Fail(ErrorKind::kUnsupported, "",
                  fmt::format("is an export of version {}, and this program reads version {}",
                              header.version, kExportVersion),
                  "use a program of the version that made it");
    }
    header_ = true;
    return {};
  }
  Result<void> On(ExportStream stream) {
    if (!header_ || stream_) return Misplaced("stream");
    if (!plan_.stream.empty() && !done_.empty()) {
      return Fail(ErrorKind::kInvalid, "", "is a second stream, and --stream names one",
                  "export one stream, or leave --stream out");
    }
    ASSIGN_OR_RETURN(StreamImport begun, StreamImport::Begin(db_, stream, plan_, claim_));
    stream_.emplace(std::move(begun));
    return {};
  }
  Result<void> On(StoredRecord record) {
    return stream_ ? stream_->Add(std::move(record)) : Misplaced("record");
  }
  Result<void> On(ExportEnd end) {
    if (!stream_) return Misplaced("end");
    ASSIGN_OR_RETURN(ImportedStream stream, stream_->End(end));
    stream_.reset();
    done_.push_back(std::move(stream));
    return {};
  }
  static Result<void> Misplaced(const char* what) {
    return Fail(ErrorKind::kCorrupt, "", fmt::format("a {} where none may be", what));
  }

  Database* db_;
  const ImportPlan& plan_;
  const ClaimFn& claim_;
  bool header_ = false;
  std::optional<StreamImport> stream_;
  std::vector<ImportedStream> done_;
};

Failure AtLine(Error error, int64_t line) {
  if (error.what.empty()) error.what = fmt::format("import, line {}", line);
  if (error.remedy.empty()) error.remedy = "export again; what is whole before it was imported";
  return Failure(std::move(error));
}

}  // namespace

Result<std::vector<ImportedStream>> ImportStreams(Database* db, const LineSource& next,
                                                  const ImportPlan& plan, const ClaimFn& claim) {
  Importer importer(db, plan, claim);
  for (int64_t number = 1;; ++number) {
    ASSIGN_OR_RETURN(const std::optional<std::string> line, next());
    if (!line) {
      auto streams = importer.Finish();
      if (!streams) return AtLine(streams.error(), number);
      return streams;
    }
    Result<ExportLine> parsed = ParseExportLine(*line);
    if (!parsed) return AtLine(parsed.error(), number);
    const Result<void> taken = importer.Take(*std::move(parsed));
    if (!taken) return AtLine(taken.error(), number);
  }
}

}  // namespace anabranch
