#include "memory/pg_journal.h"

#include <fmt/format.h>

#include <cstring>

#include "memory/pg_array.h"

namespace anabranch {
namespace {

constexpr size_t kMaxStatement = size_t{256} << 20;  // bytes; the protocol's limit is 1 GB

template <typename T>
std::string_view AsBytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <typename T>
std::vector<T> FromBytes(const pqxx::binarystring& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

// "": the record is sound.
std::string StoredFault(const StoredRecord& stored) {
  const JournalRecord& record = stored.record;
  std::string fault = RecordFault(record);
  if (!fault.empty()) return fault;
  if (stored.end < record.begin || stored.end.value() >= kMaxCoordinate ||
      (!IsMissing(record.kind) && stored.end != record.end())) {
    return fmt::format("it ends at {} and has {} ids", stored.end.value(), record.ids.size());
  }
  if (stored.text_begin < 0 || stored.text_begin >= kMaxCoordinate) {
    return fmt::format("its text begins at {}", stored.text_begin);
  }
  return "";
}

std::string Place(const PgStream& stream, int64_t begin) {
  return fmt::format("record {} of stream '{}'", begin, stream.info.name);
}

Result<StoredRecord> ReadRecord(const pqxx::row& row, const PgStream& stream) {
  StoredRecord stored;
  JournalRecord& record = stored.record;
  record.begin = StreamPos(row[0].as<int64_t>());
  stored.end = StreamPos(row[1].as<int64_t>());
  record.turn = row[2].as<int64_t>();
  const auto role = row[3].as<int16_t>(), kind = row[4].as<int16_t>();
  stored.text_begin = row[5].as<int64_t>();
  record.time_ms = row[6].as<int64_t>();
  record.ids = FromBytes<TokenId>(pqxx::binarystring(row[7]));
  record.token_ends = FromBytes<uint32_t>(pqxx::binarystring(row[8]));
  record.bytes = pqxx::binarystring(row[9]).str();
  record.source_cursor = pqxx::binarystring(row[10]).str();
  std::string fault;
  if (role < 0 || role > static_cast<int16_t>(Role::kAssistant) || kind < 0 ||
      kind > static_cast<int16_t>(kLastRecordKind)) {
    fault = fmt::format("it has role {} and kind {}", role, kind);
  } else {
    record.role = static_cast<Role>(role);
    record.kind = static_cast<RecordKind>(kind);
    fault = StoredFault(stored);
  }
  if (fault.empty()) return stored;
  return Fail(ErrorKind::kCorrupt, Place(stream, record.begin.value()),
              "the server's journal is damaged: " + fault, "restore the database from a copy");
}

}  // namespace

Result<void> ReplacePgRecords(pqxx::transaction_base* db, const PgStream& stream, StreamSpan span,
                              std::span<const StoredRecord> records) {
  PgArray begins(kPgInt8), ends(kPgInt8), turns(kPgInt8), roles(kPgInt2), kinds(kPgInt2),
      text_begins(kPgInt8), times(kPgInt8), ids(kPgBytea), token_ends(kPgBytea), bytes(kPgBytea),
      cursors(kPgBytea);
  StreamPos at = span.begin;
  for (const StoredRecord& stored : records) {
    const JournalRecord& record = stored.record;
    std::string fault = StoredFault(stored);
    if (fault.empty() && (record.begin < at || span.end < stored.end)) {
      fault = "it overlaps the one before it, or lies outside of what is replaced";
    }
    if (!fault.empty()) {
      return Fail(ErrorKind::kInvalid, Place(stream, record.begin.value()), std::move(fault));
    }
    at = stored.end;
    begins.AddInt8(record.begin.value());
    ends.AddInt8(stored.end.value());
    turns.AddInt8(record.turn);
    roles.AddInt2(static_cast<int16_t>(record.role));
    kinds.AddInt2(static_cast<int16_t>(record.kind));
    text_begins.AddInt8(stored.text_begin);
    times.AddInt8(record.time_ms);
    // Ids would say what is missing.
    ids.AddBytes(IsMissing(record.kind) ? std::string_view() : AsBytes(record.ids));
    token_ends.AddBytes(AsBytes(record.token_ends));
    bytes.AddBytes(record.bytes);
    cursors.AddBytes(record.source_cursor);
    if (ids.bytes() + token_ends.bytes() + bytes.bytes() + cursors.bytes() > kMaxStatement) {
      return Fail(ErrorKind::kLimit, fmt::format("{} records", records.size()),
                  "are too much for one statement", "write fewer at once");
    }
  }
  // Records do not overlap: only the last one that begins before the span can reach into it.
  db->exec_params0(
      "DELETE FROM anabranch.record WHERE stream_id = $1 AND span_begin < $3 AND span_begin >= "
      "coalesce((SELECT max(span_begin) FROM anabranch.record WHERE stream_id = $1 AND span_begin "
      "<= $2), $2) AND (span_end > $2 OR span_begin >= $2)",
      stream.id, span.begin.value(), span.end.value());
  if (records.empty()) return {};
  db->exec_params0(
      "INSERT INTO anabranch.record (stream_id, span_begin, span_end, turn, role, kind, "
      "text_begin, time_ms, ids, token_ends, bytes, source_cursor) SELECT $1, * FROM "
      "unnest($2::int8[], $3::int8[], $4::int8[], $5::int2[], $6::int2[], $7::int8[], $8::int8[], "
      "$9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[])",
      stream.id, begins.Parameter(), ends.Parameter(), turns.Parameter(), roles.Parameter(),
      kinds.Parameter(), text_begins.Parameter(), times.Parameter(), ids.Parameter(),
      token_ends.Parameter(), bytes.Parameter(), cursors.Parameter());
  return {};
}

Result<std::vector<StoredRecord>> PgRecords(pqxx::transaction_base* db, const PgStream& stream,
                                            StreamPos from, StreamPos last, int limit) {
  const pqxx::result rows = db->exec_params(
      "SELECT span_begin, span_end, turn, role, kind, text_begin, time_ms, ids, token_ends, bytes, "
      "source_cursor FROM anabranch.record WHERE stream_id = $1 AND span_begin > $3 AND "
      "span_begin >= coalesce((SELECT max(span_begin) FROM anabranch.record WHERE stream_id = $1 "
      "AND span_begin <= $2), $2) AND (span_end > $2 OR span_begin >= $2) "
      "ORDER BY span_begin LIMIT $4",
      stream.id, from.value(), last.value(), limit);
  std::vector<StoredRecord> records;
  for (const auto& row : rows) {
    ASSIGN_OR_RETURN(StoredRecord record, ReadRecord(row, stream));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace anabranch
