// The checksum of a journal record: what was written is what is read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "memory/journal.h"
#include "memory/sqlite_db.h"

namespace anabranch {

// A row of the record table without its checksum. A view: what it points to must outlive it.
struct RecordColumns {
  // begin, end, turn, role, kind, text_begin, text_end, time_ms
  std::array<int64_t, 8> numbers = {};
  std::span<const std::byte> ids, token_ends, bytes;
  std::string_view source_cursor;
};

// The columns in the order of RecordColumns, as SQL.
inline constexpr std::string_view kRecordColumns =
    "\"begin\", \"end\", turn, role, kind, text_begin, text_end, time_ms, ids, token_ends, bytes, "
    "source_cursor";

// Of a record that is to be written; what is missing has no ids.
RecordColumns ColumnsOf(const StoredRecord& stored);
// Of a row that selects kRecordColumns from column `first` on. Valid until its next Step.
RecordColumns ColumnsOf(const Statement& row, int first);

// XXH3-64 of all columns and their sizes, seeded with the stream's number in the store.
int64_t RecordChecksum(int64_t stream, const RecordColumns& columns);

// Sets the checksums of all records (a store of format 1 has none). Within a transaction.
Result<void> FillChecksums(Database* db);

}  // namespace anabranch
