// What a memory's file knows of its server: how far each stream is drained, what the server is to
// forget, and which units it refused. docs/formats.md describes the tables.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "memory/remote_store.h"
#include "memory/sqlite_db.h"

namespace anabranch {

// How far a stream is drained.
struct DrainedTo {
  static constexpr int64_t kDropFirst = -1;  // as `unit`: what the server has is to be dropped
  int64_t unit = 0;  // key of the last unit that the server has: keys ascend
  StreamPos pos;     // where the server's journal ends
  friend bool operator==(const DrainedTo&, const DrainedTo&) = default;
};

// What a server is to forget.
struct ErasedSpan {
  int64_t seq = 0;
  StreamSpan span;  // whole records of the journal as it is now
  std::vector<UnitId> ids;
};

struct QuarantinedUnit {
  int64_t key = 0;
  StreamSpan span;
  std::string fault;  // what the server said
};

// A unit to be sent, and its key.
struct UnitToSend {
  int64_t key = 0;
  RemoteUnit unit;
};

// Tables of one stream. Threads: as its database.
class DrainStore {
 public:
  DrainStore(Database* db, int64_t stream) : db_(db), stream_(stream) {}

  // The stream has been indexed anew: the server's units are to be dropped, and all sent again.
  Result<void> DropUnitsFirst();
  // From now on what is forgotten is noted for the server.
  Result<void> Follow();
  Result<bool> IsFollowed() const;
  Result<DrainedTo> Drained() const;
  Result<void> SetDrained(const DrainedTo& to);
  // The position that the server's index reaches: the first unit that it lacks, else `end`.
  Result<StreamPos> IndexedEnd(StreamPos end) const;

  // Call within the transaction that forgets it here.
  Result<void> NoteErased(StreamSpan span, std::span<const UnitId> ids);
  Result<std::optional<ErasedSpan>> NextErased() const;
  Result<void> DropErased(int64_t seq);

  // Drops the vectors that the server has, but for those that it refused.
  Result<void> DropVectors();

  // The units behind `key`, at most n and about max_bytes of text and vectors, by key.
  Result<std::vector<UnitToSend>> UnitsBehind(int64_t key, int64_t n, int64_t max_bytes) const;

  Result<void> Quarantine(int64_t key, const std::string& fault);
  Result<std::vector<QuarantinedUnit>> Quarantined() const;

 private:
  Database* db_;
  int64_t stream_;
};

}  // namespace anabranch
