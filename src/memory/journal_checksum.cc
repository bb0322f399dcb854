#include "memory/journal_checksum.h"

#include <xxhash.h>

#include <memory>
#include <string>

namespace anabranch {

RecordColumns ColumnsOf(const StoredRecord& stored) {
  const JournalRecord& record = stored.record;
  RecordColumns columns;
  columns.numbers = {record.begin.value(),
                     stored.end.value(),
                     record.turn,
                     static_cast<int64_t>(record.role),
                     static_cast<int64_t>(record.kind),
                     stored.text_begin,
                     stored.text_end(),
                     record.time_ms};
  // Ids would say what is missing.
  if (!IsMissing(record.kind)) columns.ids = AsBlob(std::span<const TokenId>(record.ids));
  columns.token_ends = AsBlob(std::span<const uint32_t>(record.token_ends));
  columns.bytes = std::as_bytes(std::span<const char>(record.bytes));
  columns.source_cursor = record.source_cursor;
  return columns;
}

RecordColumns ColumnsOf(const Statement& row, int first) {
  RecordColumns columns;
  int at = first;
  for (int64_t& number : columns.numbers) number = row.Int(at++);
  columns.ids = row.Blob(at++);
  columns.token_ends = row.Blob(at++);
  columns.bytes = row.Blob(at++);
  columns.source_cursor = row.Text(at);
  return columns;
}

int64_t RecordChecksum(int64_t stream, const RecordColumns& columns) {
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  XXH3_64bits_reset_withSeed(state.get(), static_cast<uint64_t>(stream));
  const auto add = [&](std::span<const std::byte> blob) {
    const auto size = static_cast<uint64_t>(blob.size());
    XXH3_64bits_update(state.get(), &size, sizeof(size));
    if (!blob.empty()) XXH3_64bits_update(state.get(), blob.data(), blob.size());
  };
  XXH3_64bits_update(state.get(), columns.numbers.data(), sizeof(columns.numbers));
  add(columns.ids);
  add(columns.token_ends);
  add(columns.bytes);
  add(std::as_bytes(std::span<const char>(columns.source_cursor)));
  return static_cast<int64_t>(XXH3_64bits_digest(state.get()));
}

Result<void> FillChecksums(Database* db) {
  ASSIGN_OR_RETURN(Statement select, db->Prepare("SELECT rowid, stream, " +
                                                 std::string(kRecordColumns) + " FROM record"));
  ASSIGN_OR_RETURN(Statement update,
                   db->Prepare("UPDATE record SET checksum = ?2 WHERE rowid = ?1"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return {};
    const int64_t checksum = RecordChecksum(select.Int(1), ColumnsOf(select, 2));
    RETURN_IF_ERROR(update.Bind(1, select.Int(0)).Bind(2, checksum).Run());
  }
}

}  // namespace anabranch
