#include "memory/drain_store.h"

#include <fmt/format.h>

#include <cstring>

#include "memory/erasure.h"
#include "memory/journal_store.h"
#include "memory/unit_store.h"

namespace anabranch {

Result<void> DrainStore::DropUnitsFirst() {
  ASSIGN_OR_RETURN(Statement update,
                   db_->Prepare("UPDATE remote SET drained_unit = ?2 WHERE stream = ?1"));
  return update.Bind(1, stream_).Bind(2, DrainedTo::kDropFirst).Run();
}

Result<void> DrainStore::Follow() {
  ASSIGN_OR_RETURN(const bool followed, IsFollowed());
  return followed ? Result<void>() : SetDrained({});
}

Result<bool> DrainStore::IsFollowed() const {
  ASSIGN_OR_RETURN(Statement select, db_->Prepare("SELECT 1 FROM remote WHERE stream = ?1"));
  return select.Bind(1, stream_).Step();
}

Result<DrainedTo> DrainStore::Drained() const {
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare("SELECT drained_unit, drained_pos FROM remote WHERE stream = ?1"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Step());
  return row ? DrainedTo{select.Int(0), StreamPos(select.Int(1))} : DrainedTo{};
}

Result<void> DrainStore::SetDrained(const DrainedTo& to) {
  ASSIGN_OR_RETURN(Statement replace,
                   db_->Prepare("INSERT OR REPLACE INTO remote(stream, drained_unit, drained_pos) "
                                "VALUES(?1, ?2, ?3)"));
  return replace.Bind(1, stream_).Bind(2, to.unit).Bind(3, to.pos.value()).Run();
}

Result<StreamPos> DrainStore::IndexedEnd(StreamPos end) const {
  ASSIGN_OR_RETURN(const DrainedTo drained, Drained());
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare("SELECT \"begin\" FROM unit WHERE stream = ?1 AND key > ?2 "
                                "ORDER BY key LIMIT 1"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Bind(2, drained.unit).Step());
  return row ? std::min(end, StreamPos(select.Int(0))) : end;
}

Result<void> DrainStore::NoteErased(StreamSpan span, std::span<const UnitId> ids) {
  ASSIGN_OR_RETURN(
      Statement insert,
      db_->Prepare("INSERT INTO remote_erase(stream, \"begin\", \"end\", ids) VALUES(?1, ?2, ?3, "
                   "?4)"));
  return insert.Bind(1, stream_)
      .Bind(2, span.begin.value())
      .Bind(3, span.end.value())
      .BindBlob(4, AsBlob(ids))
      .Run();
}

Result<std::optional<ErasedSpan>> DrainStore::NextErased() const {
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare("SELECT seq, \"begin\", \"end\", ids FROM remote_erase "
                                "WHERE stream = ?1 ORDER BY seq LIMIT 1"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Step());
  if (!row) return std::nullopt;
  ErasedSpan erased;
  erased.seq = select.Int(0);
  erased.span = {StreamPos(select.Int(1)), StreamPos(select.Int(2))};
  const auto blob = select.Blob(3);
  erased.ids.resize(blob.size() / sizeof(UnitId));
  if (!erased.ids.empty()) {
    std::memcpy(static_cast<void*>(erased.ids.data()), blob.data(),
                erased.ids.size() * sizeof(UnitId));
  }
  return erased;
}

Result<void> DrainStore::DropErased(int64_t seq) {
  ASSIGN_OR_RETURN(Statement erase, db_->Prepare("DELETE FROM remote_erase WHERE seq = ?1"));
  return erase.Bind(1, seq).Run();
}

Result<void> DrainStore::DropVectors() {
  ASSIGN_OR_RETURN(const DrainedTo drained, Drained());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_));
  int64_t dropped = 0;
  for (const char* table : {"vector", "code"}) {
    ASSIGN_OR_RETURN(Statement drop,
                     db_->Prepare(fmt::format(
                         "DELETE FROM {} WHERE unit IN (SELECT key FROM unit WHERE stream "
                         "= ?1 AND key <= ?2) AND unit NOT IN (SELECT unit FROM quarantine)",
                         table)));
    RETURN_IF_ERROR(drop.Bind(1, stream_).Bind(2, drained.unit).Run());
    dropped += db_->changes();
  }
  if (dropped > 0) RETURN_IF_ERROR(NoteRemoval(db_));
  return transaction.Commit();
}

Result<std::vector<UnitToSend>> DrainStore::UnitsBehind(int64_t key, int64_t n,
                                                        int64_t max_bytes) const {
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare(fmt::format(
                       "SELECT key, name, data, {} FROM unit JOIN stream ON stream.id = stream "
                       "LEFT JOIN vector ON vector.unit = unit.key "
                       "WHERE stream = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
                       kUnitColumns)));
  select.Bind(1, stream_).Bind(2, key).Bind(3, n);
  const JournalStore journal(db_, stream_);
  std::vector<UnitToSend> units;
  for (int64_t bytes = 0; bytes < max_bytes;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    ASSIGN_OR_RETURN(const UnitRow stored, UnitAt(select, 3, *db_));
    UnitToSend send = {select.Int(0), MakeRemoteUnit(select.Text(1), stored)};
    RemoteUnit& unit = send.unit;
    unit.vector = Floats(select.Blob(2));
    ASSIGN_OR_RETURN(unit.text, journal.Text(unit.text_begin, unit.text_end));
    bytes += static_cast<int64_t>(unit.text.size() + unit.vector.size() * sizeof(float));
    units.push_back(std::move(send));
  }
  return units;
}

Result<void> DrainStore::Quarantine(int64_t key, const std::string& fault) {
  ASSIGN_OR_RETURN(Statement insert,
                   db_->Prepare("INSERT OR REPLACE INTO quarantine(unit, fault) VALUES(?1, ?2)"));
  return insert.Bind(1, key).BindText(2, fault).Run();
}

Result<std::vector<QuarantinedUnit>> DrainStore::Quarantined() const {
  ASSIGN_OR_RETURN(
      Statement select,
      db_->Prepare("SELECT key, \"begin\", \"end\", fault FROM quarantine JOIN unit ON "
                   "unit = key WHERE stream = ?1 ORDER BY key"));
  select.Bind(1, stream_);
  std::vector<QuarantinedUnit> units;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return units;
    units.push_back({select.Int(0),
                     {StreamPos(select.Int(1)), StreamPos(select.Int(2))},
                     std::string(select.Text(3))});
  }
}

}  // namespace anabranch
