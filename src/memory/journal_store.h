// The journal of one stream in the store: its records, and its text by coordinates (unit.h). Each
// record is read with its checksum: error kCorrupt names the stream and the position.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "memory/journal.h"
#include "memory/sqlite_db.h"

namespace anabranch {

// All of a stream.
inline constexpr StreamSpan kAllPositions = {StreamPos(0),
                                             StreamPos(std::numeric_limits<int64_t>::max())};

// A record's text with its place: what cutting needs.
struct TextPiece {
  int64_t text_begin = 0;
  StreamPos begin;
  int64_t turn = 0;
  Role role = Role::kUser;
  int64_t time_ms = 0;
  std::vector<uint32_t> token_ends;
  std::string bytes;
  int64_t text_end() const { return text_begin + static_cast<int64_t>(bytes.size()); }
};

// Turns in a row by one role, from a text coordinate on: one text. A document's turn stands alone.
struct RunText {
  std::vector<TextPiece> pieces;
  std::string text;        // the pieces, with a line end between turns
  int64_t text_begin = 0;  // coordinate of text[0]
  bool closed = false;     // nothing that comes later belongs to it
  int64_t text_end() const { return text_begin + static_cast<int64_t>(text.size()); }
  // The token that holds the text byte of a coordinate within the run.
  StreamPos TokenAt(int64_t text) const;
  const TextPiece& PieceAt(int64_t text) const;
  // Drops what tokens from `pos` on say.
  void CutAt(StreamPos pos);
};

// What a record holds of [begin, end), which lies within it.
StoredRecord PartOf(const StoredRecord& whole, StreamPos begin, StreamPos end);

// Where a journal ends.
struct JournalEnd {
  bool empty = true;
  StreamPos end;
  int64_t turn = -1;
  Role role = Role::kUser;
  int64_t text_end = 0;
};

// A record's numbers are in range and its sizes agree: what Append checks of its caller, and
// reading of the file. "": they do.
std::string RecordFault(const JournalRecord& record);

class JournalStore {
 public:
  JournalStore(Database* db, int64_t stream) : db_(db), stream_(stream) {}

  int64_t stream() const { return stream_; }
  Database* db() const { return db_; }

  Result<JournalEnd> End() const;
  // Drops the last record if it is damaged and nothing was derived from it: a write that was cut
  // off. Says what was dropped; "": nothing. Error kCorrupt: damage of another kind.
  Result<std::string> DropTornEnd();
  // The newest source cursor that is not empty, and not a document's (document_cursor.h).
  Result<std::string> LastCursor() const;
  // Inserts a record behind `end`, which moves on. Call within a transaction.
  Result<void> Insert(const JournalRecord& record, JournalEnd* end);
  // Inserts a copy of another journal's record.
  Result<void> InsertStored(const StoredRecord& stored);

  // The run that holds the first text at or behind coordinate `from`, from there on, of about
  // `max_bytes` at most (then it is not closed). nullopt: no such text.
  Result<std::optional<RunText>> NextRun(int64_t from, int64_t max_bytes) const;
  // The text in [begin, end) of the coordinates.
  Result<std::string> Text(int64_t begin, int64_t end) const;
  // Position of the first token of text at or behind `from`; nullopt: there is none.
  Result<std::optional<StreamPos>> PosOf(int64_t from) const;

  // Calls visit(StoredRecord) -> Result<void> for the records that overlap a span, in order; an
  // error ends the walk.
  template <typename Visit>
  Result<void> ForEach(StreamSpan span, Visit&& visit) const {
    ASSIGN_OR_RETURN(Statement select, SelectSpan(span));
    while (true) {
      ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return {};
      ASSIGN_OR_RETURN(StoredRecord record, ReadRecord(select));
      RETURN_IF_ERROR(visit(std::move(record)));
    }
  }
  // A span widened to the records that it touches.
  Result<StreamSpan> WholeRecords(StreamSpan span) const;
  // True if it has this very record, or has forgotten it.
  Result<bool> Has(const StoredRecord& stored) const;
  // How many records there are, sound or not.
  Result<int64_t> Count() const;
  // Makes a gap of what the journal has of a span. Call within a transaction.
  Result<void> EraseSpan(StreamSpan span);

 private:
  Result<Statement> SelectSpan(StreamSpan span) const;
  Result<StoredRecord> ReadRecord(const Statement& row) const;
  // The last record that begins before `begin`.
  Result<std::optional<StoredRecord>> Last(int64_t begin) const;
  Failure Damaged(const std::string& fault) const;
  // The row's checksum is that of its columns.
  Result<void> CheckRow(const Statement& row) const;

  Database* db_;
  int64_t stream_;
};

}  // namespace anabranch
