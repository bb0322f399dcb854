#include "memory/journal_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "memory/document_cursor.h"
#include "memory/journal_checksum.h"

namespace anabranch {
namespace {

// What ReadRecord reads.
std::string SelectWhere(std::string_view where) {
  return fmt::format("SELECT {}, checksum FROM record WHERE {}", kRecordColumns, where);
}
constexpr int kTextBegin = 5, kBytes = 10, kChecksum = 12;  // columns of it

template <typename T>
std::vector<T> FromBlob(std::span<const std::byte> blob) {
  std::vector<T> values(blob.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), blob.data(), values.size() * sizeof(T));
  return values;
}

bool InRange(int64_t coordinate) { return coordinate >= 0 && coordinate < kMaxCoordinate; }

}  // namespace

StoredRecord PartOf(const StoredRecord& whole, StreamPos begin, StreamPos end) {
  if (IsMissing(whole.record.kind)) {
    StoredRecord part = whole;
    part.record.begin = begin;
    part.record.ids.clear();
    part.end = end;
    return part;
  }
  const JournalRecord& record = whole.record;
  const auto b = static_cast<ptrdiff_t>(begin - record.begin);
  const auto e = static_cast<ptrdiff_t>(end - record.begin);
  StoredRecord part = whole;
  part.record.begin = begin;
  part.end = end;
  part.record.ids.assign(record.ids.begin() + b, record.ids.begin() + e);
  if (record.kind == RecordKind::kText) {
    const uint32_t from = b == 0 ? 0 : record.token_ends[static_cast<size_t>(b - 1)];
    const uint32_t to = e == 0 ? 0 : record.token_ends[static_cast<size_t>(e - 1)];
    part.text_begin += from;
    part.record.bytes = record.bytes.substr(from, to - from);
    part.record.token_ends.assign(record.token_ends.begin() + b, record.token_ends.begin() + e);
    for (uint32_t& token_end : part.record.token_ends) token_end -= from;
  }
  return part;
}

StreamPos RunText::TokenAt(int64_t at) const {
  const TextPiece& piece = PieceAt(at);
  const auto offset = static_cast<uint32_t>(std::max<int64_t>(0, at - piece.text_begin));
  const auto token = std::upper_bound(piece.token_ends.begin(), piece.token_ends.end(), offset);
  return piece.begin + (token - piece.token_ends.begin());
}

const TextPiece& RunText::PieceAt(int64_t at) const {
  const auto piece = std::partition_point(pieces.begin(), pieces.end(),
                                          [at](const TextPiece& p) { return p.text_end() <= at; });
  return piece == pieces.end() ? pieces.back() : *piece;
}

void RunText::CutAt(StreamPos pos) {
  while (!pieces.empty() && pieces.back().begin >= pos) pieces.pop_back();
  if (pieces.empty()) {
    text.clear();
    return;
  }
  const TextPiece& last = pieces.back();
  const auto n = std::min(static_cast<size_t>(pos - last.begin), last.token_ends.size());
  const int64_t end = last.text_begin + last.token_ends[n - 1];
  text.resize(static_cast<size_t>(std::max<int64_t>(0, end - text_begin)));
}

std::string RecordFault(const JournalRecord& record) {
  if (!InRange(record.begin.value()) || !InRange(record.end().value())) {
    return fmt::format("position {} is out of range", record.begin.value());
  }
  if (!InRange(record.turn)) return fmt::format("turn {} is out of range", record.turn);
  if (record.kind != RecordKind::kText) {
    return record.bytes.empty() && record.token_ends.empty() ? "" : "only text has bytes";
  }
  if (record.token_ends.size() != record.ids.size()) {
    return fmt::format("{} tokens have {} ends", record.ids.size(), record.token_ends.size());
  }
  if (!std::is_sorted(record.token_ends.begin(), record.token_ends.end())) {
    return "the ends of its tokens decrease";
  }
  const size_t last = record.token_ends.empty() ? 0 : record.token_ends.back();
  if (last != record.bytes.size()) {
    return fmt::format("its tokens end at byte {} of {}", last, record.bytes.size());
  }
  return "";
}

Failure JournalStore::Damaged(const std::string& fault) const {
  std::string name = std::to_string(stream_);
  if (auto select = db_->Prepare("SELECT name FROM stream WHERE id = ?1")) {
    const auto row = select->Bind(1, stream_).Step();
    if (row && *row) name = select->Text(0);
  }
  return Fail(ErrorKind::kCorrupt, fmt::format("stream '{}' of {}", name, db_->name()),
              "the journal is damaged: " + fault, "restore the memory file from a copy");
}

Result<void> JournalStore::CheckRow(const Statement& row) const {
  if (row.Int(kChecksum) == RecordChecksum(stream_, ColumnsOf(row, 0))) return {};
  return Damaged(
      fmt::format("the record at {} does not have the checksum it was written with", row.Int(0)));
}

Result<std::optional<StoredRecord>> JournalStore::Last(int64_t begin) const {
  ASSIGN_OR_RETURN(
      Statement select,
      db_->Prepare(SelectWhere("stream = ?1 AND \"begin\" < ?2 ORDER BY \"begin\" DESC LIMIT 1")));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Bind(2, begin).Step());
  if (!row) return std::nullopt;
  ASSIGN_OR_RETURN(StoredRecord last, ReadRecord(select));
  return last;
}

Result<JournalEnd> JournalStore::End() const {
  ASSIGN_OR_RETURN(const std::optional<StoredRecord> last, Last(kMaxCoordinate));
  JournalEnd end;
  if (!last) return end;
  end.empty = false;
  end.end = last->end;
  end.turn = last->record.turn;
  end.role = last->record.role;
  end.text_end = last->text_end();
  return end;
}

Result<std::string> JournalStore::DropTornEnd() {
  const Result<JournalEnd> end = End();
  if (end) return "";
  if (end.error().kind != ErrorKind::kCorrupt) return tl::make_unexpected(end.error());
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare(SelectWhere("stream = ?1 ORDER BY \"begin\" DESC LIMIT 1")));
  RETURN_IF_ERROR(select.Bind(1, stream_).Step());
  const bool torn = !CheckRow(select);
  const int64_t begin = select.Int(0);
  const std::string what = fmt::format("[{}, {}) with {} bytes of text", begin, select.Int(1),
                                       select.Blob(kBytes).size());
  // The newest row too: damage to the place of an older one can make it the last.
  ASSIGN_OR_RETURN(Statement newest,
                   db_->Prepare("SELECT \"begin\", rowid FROM record WHERE stream = ?1 "
                                "ORDER BY rowid DESC LIMIT 1"));
  RETURN_IF_ERROR(newest.Bind(1, stream_).Step());
  ASSIGN_OR_RETURN(Statement derived,
                   db_->Prepare("SELECT max(indexed_text, coalesce((SELECT max(text_end) FROM unit "
                                "WHERE stream = ?1), 0)) FROM stream WHERE id = ?1"));
  RETURN_IF_ERROR(derived.Bind(1, stream_).Step());
  ASSIGN_OR_RETURN(const std::optional<StoredRecord> before, Last(begin));
  const bool joins = before ? before->end == StreamPos(begin) : begin == 0;
  if (!torn || !joins || newest.Int(0) != begin ||
      derived.Int(0) > (before ? before->text_end() : 0)) {
    return tl::make_unexpected(end.error());
  }
  ASSIGN_OR_RETURN(Statement erase, db_->Prepare("DELETE FROM record WHERE rowid = ?1"));
  RETURN_IF_ERROR(erase.Bind(1, newest.Int(1)).Run());
  return fmt::format("the last journal record, {}, was cut off while it was written; dropped",
                     what);
}

Result<std::string> JournalStore::LastCursor() const {
  ASSIGN_OR_RETURN(
      Statement select,
      db_->Prepare(
          SelectWhere("stream = ?1 AND source_cursor <> '' AND source_cursor NOT GLOB 'document *' "
                      "ORDER BY \"begin\" DESC LIMIT 1")));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Step());
  if (!row) return "";
  ASSIGN_OR_RETURN(StoredRecord record, ReadRecord(select));
  return std::move(record.record.source_cursor);
}

Result<void> JournalStore::Insert(const JournalRecord& record, JournalEnd* end) {
  const bool new_turn = !end->empty && record.turn != end->turn;
  const int64_t text_begin = end->text_end + (new_turn ? 1 : 0);
  RETURN_IF_ERROR(InsertStored({record, record.end(), text_begin}));
  end->empty = false;
  end->end = record.end();
  end->turn = record.turn;
  end->role = record.role;
  end->text_end = text_begin + static_cast<int64_t>(record.bytes.size());
  return {};
}

Result<void> JournalStore::InsertStored(const StoredRecord& stored) {
  ASSIGN_OR_RETURN(
      Statement insert,
      db_->Prepare("INSERT INTO record(stream, checksum, " + std::string(kRecordColumns) +
                   ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"));
  const RecordColumns columns = ColumnsOf(stored);
  insert.Bind(1, stream_).Bind(2, RecordChecksum(stream_, columns));
  int at = 2;
  for (const int64_t number : columns.numbers) insert.Bind(++at, number);
  for (const auto& blob : {columns.ids, columns.token_ends, columns.bytes}) {
    insert.BindBlob(++at, blob);
  }
  return insert.BindText(++at, columns.source_cursor).Run();
}

Result<Statement> JournalStore::SelectSpan(StreamSpan span) const {
  ASSIGN_OR_RETURN(
      Statement select,
      db_->Prepare(SelectWhere(
          "stream = ?1 AND \"begin\" < ?3 AND \"begin\" >= coalesce("
          "(SELECT max(\"begin\") FROM record WHERE stream = ?1 AND \"begin\" <= ?2), 0) "
          "AND \"end\" > ?2 ORDER BY \"begin\"")));
  select.Bind(1, stream_).Bind(2, span.begin.value()).Bind(3, span.end.value());
  return select;
}

Result<StoredRecord> JournalStore::ReadRecord(const Statement& row) const {
  RETURN_IF_ERROR(CheckRow(row));
  StoredRecord stored;
  JournalRecord& record = stored.record;
  record.begin = StreamPos(row.Int(0));
  stored.end = StreamPos(row.Int(1));
  const int64_t role = row.Int(3), kind = row.Int(4);
  if (role < 0 || role > static_cast<int64_t>(Role::kAssistant) || kind < 0 ||
      kind > static_cast<int64_t>(kLastRecordKind)) {
    return Damaged(fmt::format("the record at {} has role {} and kind {}", row.Int(0), role, kind));
  }
  record.turn = row.Int(2);
  record.role = static_cast<Role>(role);
  record.kind = static_cast<RecordKind>(kind);
  stored.text_begin = row.Int(5);
  record.time_ms = row.Int(7);
  record.ids = FromBlob<TokenId>(row.Blob(8));
  record.token_ends = FromBlob<uint32_t>(row.Blob(9));
  record.bytes = row.Text(10);
  record.source_cursor = row.Text(11);
  const std::string fault = RecordFault(record);
  if (!fault.empty()) return Damaged(fmt::format("the record at {}: {}", row.Int(0), fault));
  if (stored.end < record.begin || !InRange(stored.end.value()) ||
      (!IsMissing(record.kind) && stored.end != record.end())) {
    return Damaged(fmt::format("the record at {} ends at {} and has {} ids", row.Int(0), row.Int(1),
                               record.ids.size()));
  }
  if (!InRange(stored.text_begin) || row.Int(6) != stored.text_end()) {
    return Damaged(fmt::format("the record at {} has {} bytes for text [{}, {})", row.Int(0),
                               record.bytes.size(), row.Int(5), row.Int(6)));
  }
  return stored;
}

Result<std::optional<RunText>> JournalStore::NextRun(int64_t from, int64_t max_bytes) const {
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare(SelectWhere(
                       "stream = ?1 AND kind NOT IN (1, 5) AND \"begin\" >= (SELECT \"begin\" "
                       "FROM record WHERE stream = ?1 AND kind = 0 AND text_end > ?2 "
                       "ORDER BY text_end LIMIT 1) ORDER BY \"begin\"")));
  select.Bind(1, stream_).Bind(2, from);
  RunText run;
  bool of_document = false;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) {
      run.closed = of_document;
      break;
    }
    ASSIGN_OR_RETURN(StoredRecord stored, ReadRecord(select));
    JournalRecord& record = stored.record;
    if (IsMissing(record.kind)) {
      run.closed = true;
      break;
    }
    if (record.bytes.empty()) continue;
    const bool document = IsDocumentCursor(record.source_cursor);
    if (run.pieces.empty()) {
      of_document = document;
      if (stored.text_end() <= from) {
        return Damaged(fmt::format("text {} is not where its index says", from));
      }
      run.text_begin = std::max(from, stored.text_begin);
      run.text = record.bytes.substr(static_cast<size_t>(run.text_begin - stored.text_begin));
    } else {
      const bool new_turn = record.turn != run.pieces.back().turn;
      if (record.role != run.pieces.back().role || (new_turn && (document || of_document)) ||
          stored.text_begin != run.text_end() + (new_turn ? 1 : 0)) {
        run.closed = true;
        break;
      }
      if (static_cast<int64_t>(run.text.size()) >= max_bytes) break;
      if (new_turn) run.text += '\n';
      run.text += record.bytes;
    }
    run.pieces.push_back({stored.text_begin, record.begin, record.turn, record.role, record.time_ms,
                          std::move(record.token_ends), std::move(record.bytes)});
  }
  if (run.pieces.empty()) return std::nullopt;
  return run;
}

Result<std::string> JournalStore::Text(int64_t begin, int64_t end) const {
  // A recall reads hundreds of texts.
  static const std::string kSelect =
      SelectWhere("stream = ?1 AND kind = 0 AND text_end > ?2 ORDER BY text_end");
  ASSIGN_OR_RETURN(Statement select, db_->Prepare(kSelect));
  select.Bind(1, stream_).Bind(2, begin);
  std::string text;
  int64_t at = begin;
  while (at < end) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    RETURN_IF_ERROR(CheckRow(select));
    const int64_t text_begin = select.Int(kTextBegin);
    if (text_begin >= end) break;
    if (text_begin < 0) return Damaged(fmt::format("text begins at {}", text_begin));
    const std::string_view bytes = select.Text(kBytes);
    const int64_t skip = std::max<int64_t>(0, at - text_begin);
    const auto size = static_cast<int64_t>(bytes.size());
    if (skip > size) return Damaged(fmt::format("text {} is not where it should be", at));
    if (!text.empty() && text_begin > at) text += '\n';
    const int64_t n = std::min(size - skip, end - std::max(at, text_begin));
    text += bytes.substr(static_cast<size_t>(skip), static_cast<size_t>(n));
    at = text_begin + skip + n;
  }
  return text;
}

Result<StreamSpan> JournalStore::WholeRecords(StreamSpan span) const {
  StreamSpan whole = span;
  RETURN_IF_ERROR(ForEach(span, [&](const StoredRecord& stored) -> Result<void> {
    whole.begin = std::min(whole.begin, stored.record.begin);
    whole.end = std::max(whole.end, stored.end);
    return {};
  }));
  return whole;
}

Result<bool> JournalStore::Has(const StoredRecord& stored) const {
  bool same = false;
  RETURN_IF_ERROR(
      ForEach({stored.record.begin, stored.end}, [&](StoredRecord ours) -> Result<void> {
        same = IsMissing(ours.record.kind) ||
               (ours.record.begin == stored.record.begin && ours.end == stored.end &&
                ours.text_begin == stored.text_begin && ours.record.turn == stored.record.turn &&
                ours.record.role == stored.record.role && ours.record.kind == stored.record.kind &&
                ours.record.ids == stored.record.ids && ours.record.bytes == stored.record.bytes &&
                ours.record.token_ends == stored.record.token_ends);
        return {};
      }));
  return same;
}

Result<int64_t> JournalStore::Count() const {
  ASSIGN_OR_RETURN(Statement count, db_->Prepare("SELECT count(*) FROM record WHERE stream = ?1"));
  RETURN_IF_ERROR(count.Bind(1, stream_).Step());
  return count.Int(0);
}

Result<void> JournalStore::EraseSpan(StreamSpan span) {
  StoredRecord gap;
  std::optional<StoredRecord> before, behind;
  bool any = false;
  RETURN_IF_ERROR(ForEach(span, [&](StoredRecord stored) -> Result<void> {
    const StreamPos begin = std::max(span.begin, stored.record.begin);
    const StreamPos end = std::min(span.end, stored.end);
    if (stored.record.begin < begin) before = PartOf(stored, stored.record.begin, begin);
    if (end < stored.end) behind = PartOf(stored, end, stored.end);
    gap.record.turn = stored.record.turn;
    gap.record.role = stored.record.role;
    gap.record.time_ms = stored.record.time_ms;
    if (!any) gap.record.begin = begin;
    any = true;
    gap.end = end;
    gap.text_begin = behind ? behind->text_begin : stored.text_end();
    return {};
  }));
  if (!any) return {};
  ASSIGN_OR_RETURN(Statement erase,
                   db_->Prepare("DELETE FROM record WHERE stream = ?1 AND \"begin\" < ?3 AND "
                                "\"end\" > ?2"));
  RETURN_IF_ERROR(
      erase.Bind(1, stream_).Bind(2, span.begin.value()).Bind(3, span.end.value()).Run());
  gap.record.kind = RecordKind::kForgotten;
  if (before) RETURN_IF_ERROR(InsertStored(*before));
  RETURN_IF_ERROR(InsertStored(gap));
  if (behind) RETURN_IF_ERROR(InsertStored(*behind));
  return {};
}

Result<std::optional<StreamPos>> JournalStore::PosOf(int64_t from) const {
  ASSIGN_OR_RETURN(std::optional<RunText> run, NextRun(from, 1));
  if (!run) return std::nullopt;
  return run->TokenAt(run->text_begin);
}

}  // namespace anabranch
