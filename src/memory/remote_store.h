// A server's part of a memory: units with their vectors, and where the server keeps one, the
// journal. The local journal is written first and stays the truth (docs/architecture.md); a drain
// (drain.h) brings the server up to it, in order, and every write may come twice.
//
// Errors, by kind: kUnavailable: no connection, a timeout, HTTP 408, 429 or 5xx: try again later.
// kLimit: too much in one call (HTTP 413): halve it. kDenied: the server refuses who we are: stop
// and say so. kInvalid: it refuses this very write (another 4xx): the same call fails again.
// kCorrupt: it answers what no such server answers (another embedder's vectors, HTML, half a
// reply). No message holds a password or a token.
//
// Threads: one at a time per RemoteStore; a second one may be open on the same server.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/memory.h"
#include "anabranch/types.h"
#include "base/result.h"
#include "memory/journal_store.h"
#include "memory/unit.h"

namespace anabranch {

// What a server checks a stream against: units of another embedder or cutter do not mix.
struct RemoteStreamInfo {
  std::string name;
  std::string tokenizer{};  // fingerprint
  std::string embedder{};   // fingerprint
  int32_t width = 0;        // of a vector
  int32_t cutter = 0;       // version
};

struct RemoteUnit {
  UnitId id;
  int64_t text_begin = 0, text_end = 0;
  StreamSpan span;
  int64_t turn = 0;
  Role role = Role::kUser;
  bool question = false;  // it only asks
  int64_t time_ms = 0;
  std::string text;           // any bytes
  std::vector<float> vector;  // unit length
};

// A unit of a stream as a server is told it, but for its text and vector.
inline RemoteUnit MakeRemoteUnit(std::string_view stream, const UnitRow& row) {
  RemoteUnit unit;
  unit.id = MakeUnitId(stream, row.text_begin, row.text_end);
  unit.text_begin = row.text_begin;
  unit.text_end = row.text_end;
  unit.span = row.span;
  unit.turn = row.turn;
  unit.role = row.role;
  unit.question = row.question;
  unit.time_ms = row.time_ms;
  return unit;
}

struct RemoteHit {
  UnitId id;
  float cosine = 0;
};

struct RemoteVector {
  UnitId id;
  std::vector<float> vector;
};

// Which units a search may return.
struct UnitFilter {
  bool questions = false;  // those that only ask; else those that do not
  StreamPos before;        // only units that end at or before it
};

class RemoteStore {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  virtual ~RemoteStore() = default;

  // True if the server keeps the journal too.
  virtual bool keeps_journal() const = 0;
  // Creates what a stream needs, or checks that what is there is this stream's. Before any other
  // call for it.
  virtual Result<void> OpenStream(const RemoteStreamInfo& stream) = 0;
  // The streams that are there.
  virtual Result<std::vector<RemoteStreamInfo>> Streams() = 0;
  // Removes the units of a stream, whatever made them: those that come next are as `stream` says.
  // Its journal stays. Of a stream that is not there: nothing. Before OpenStream.
  virtual Result<void> DropUnits(const RemoteStreamInfo& stream) = 0;
  // Removes a stream with all that it has.
  virtual Result<void> DropStream(const std::string& stream) = 0;

  // Inserts or replaces units by their ids. All are written, or an error.
  virtual Result<void> Upsert(const std::string& stream, std::span<const RemoteUnit> units) = 0;
  // Removes units; those that are not there are no error.
  virtual Result<void> Erase(const std::string& stream, std::span<const UnitId> ids) = 0;
  // The best k units by cosine, best first; fewer if there are not so many.
  virtual Result<std::vector<RemoteHit>> Nearest(const std::string& stream,
                                                 std::span<const float> query, size_t k,
                                                 const UnitFilter& filter, Deadline deadline) = 0;
  // The vectors of units, in any order; those that are not there are left out.
  virtual Result<std::vector<RemoteVector>> Vectors(const std::string& stream,
                                                    std::span<const UnitId> ids,
                                                    Deadline deadline) = 0;
  // Ids of all units of a stream, sorted (verify compares them with the journal's).
  virtual Result<std::vector<UnitId>> Ids(const std::string& stream) = 0;

  // How long the server asked to be left alone with its last kUnavailable (Retry-After); 0: it did
  // not say.
  virtual std::chrono::milliseconds retry_after() const = 0;

  // The journal. Only called if keeps_journal().
  // Replaces all records that overlap `span` by `records`, which lie within it, in one transaction.
  virtual Result<void> ReplaceRecords(const std::string& stream, StreamSpan span,
                                      std::span<const StoredRecord> records) = 0;
  // Records from position `from` on, in order.
  virtual Result<void> Records(const std::string& stream, StreamPos from,
                               const std::function<Result<void>(StoredRecord)>& visit) = 0;
  // Takes the stream for this writer until the store is closed or the connection breaks; taken
  // again by itself after that. Error kBusy names the holder. Stores without locks succeed.
  virtual Result<void> Lock(const std::string& stream) = 0;
};

// What connecting needs beside the location. Secrets are never part of a location.
struct RemoteOptions {
  std::string password;                      // PostgreSQL's password, or Chroma's token; "": none
  std::string ca_file;                       // certificates to trust beside the system's; "": none
  std::chrono::milliseconds timeout{10000};  // of one call
};

// location: postgresql://USER@HOST:PORT/DB[?...] (libpq's options, sslmode=verify-full to verify
// TLS). A password in it is refused. Does not connect: the first call does.
Result<std::unique_ptr<RemoteStore>> OpenPostgresStore(const std::string& location,
                                                       const RemoteOptions& options);
// location: chroma:http(s)://HOST:PORT[/TENANT/DATABASE]; https certificates are verified.
Result<std::unique_ptr<RemoteStore>> OpenChromaStore(const std::string& location,
                                                     const RemoteOptions& options);

}  // namespace anabranch
