#include "memory/stream_info.h"

#include <fmt/format.h>

#include "memory/journal_store.h"
#include "memory/unit_store.h"

namespace anabranch {

bool Continues(const std::string& recorded, const std::string& ours) {
  return recorded == ours ||
         (recorded.find('+') == std::string::npos && ours.starts_with(recorded + "+"));
}

Result<std::vector<StreamRow>> ListStreams(Database* db, const std::string& name) {
  ASSIGN_OR_RETURN(Statement select,
                   db->Prepare("SELECT id, name, tokenizer FROM stream ORDER BY name"));
  std::vector<StreamRow> streams;
  std::string names;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    const std::string found(select.Text(1));
    names += (names.empty() ? "" : ", ") + found;
    if (name.empty() || name == found) {
      streams.push_back({select.Int(0), found, std::string(select.Text(2))});
    }
  }
  if (streams.empty() && !name.empty()) {
    return Fail(ErrorKind::kNotFound, db->name(), fmt::format("has no stream '{}'", name),
                names.empty() ? "it has no stream at all" : "it has: " + names);
  }
  return streams;
}

Result<MemoryStreamInfo> DescribeStream(Database* db, const StreamRow& stream) {
  MemoryStreamInfo info;
  info.name = stream.name;
  ASSIGN_OR_RETURN(
      Statement select,
      db->Prepare("SELECT count(DISTINCT turn), coalesce(sum(text_end - text_begin), 0), "
                  "coalesce(min(time_ms), 0), coalesce(max(time_ms), 0) "
                  "FROM record WHERE stream = ?1 AND kind = 0"));
  RETURN_IF_ERROR(select.Bind(1, stream.id).Step());
  info.turns = select.Int(0);
  info.text_bytes = select.Int(1);
  info.first_time_ms = select.Int(2);
  info.last_time_ms = select.Int(3);
  ASSIGN_OR_RETURN(Statement count, db->Prepare("SELECT count(*) FROM unit WHERE stream = ?1"));
  RETURN_IF_ERROR(count.Bind(1, stream.id).Step());
  info.units = count.Int(0);
  const JournalStore journal(db, stream.id);
  ASSIGN_OR_RETURN(const JournalEnd end, journal.End());
  ASSIGN_OR_RETURN(const int64_t indexed_text, UnitStore(db, stream.id, stream.name).IndexedText());
  ASSIGN_OR_RETURN(const std::optional<StreamPos> pending, journal.PosOf(indexed_text));
  info.end = end.end;
  info.indexed = pending ? *pending : end.end;
  return info;
}

}  // namespace anabranch
