// A connection that is ready for use: settings, schema, and the locks that its user holds. Made
// again whenever it breaks.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "memory/pg_connection.h"
#include "memory/pg_lock.h"
#include "memory/pg_schema.h"
#include "memory/pg_search.h"

namespace anabranch {

class PgSession {
 public:
  using Deadline = RemoteStore::Deadline;

  explicit PgSession(PgLocation location) : location_(std::move(location)) {}

  const std::string& name() const { return location_.name; }
  Deadline SoonEnough() const { return std::chrono::steady_clock::now() + location_.timeout; }

  // PgConnection::Run on a connection that is ready.
  template <typename Transaction, typename Work>
  std::invoke_result_t<Work, Transaction&> Run(Deadline deadline, Work&& work) {
    RETURN_IF_ERROR(Ready(deadline));
    return connection_->Run<Transaction>(deadline, std::forward<Work>(work));
  }

  // A stream that is there. Error kNotFound.
  Result<PgStream> Stream(const std::string& name, Deadline deadline);
  // Run of work(Transaction&, const PgStream&).
  template <typename Transaction, typename Work>
  std::invoke_result_t<Work, Transaction&, const PgStream&> RunOn(const std::string& name,
                                                                  Deadline deadline, Work&& work) {
    while (true) {
      ASSIGN_OR_RETURN(const PgStream stream, Stream(name, deadline));
      auto result = Run<Transaction>(deadline, [&](Transaction& db) { return work(db, stream); });
      if (result || result.error().kind == ErrorKind::kUnavailable) return result;
      // Somebody may have dropped it, and made it anew, since it was found.
      streams_.erase(name);
      ASSIGN_OR_RETURN(const PgStream found, Stream(name, deadline));
      if (found.id == stream.id) return result;
    }
  }
  // Creates the stream, and before it the schema, or checks that it is this one.
  Result<void> OpenStream(const RemoteStreamInfo& info);
  Result<std::vector<RemoteStreamInfo>> Streams();
  Result<void> DropUnits(const RemoteStreamInfo& info);
  Result<void> DropStream(const std::string& name);
  Result<void> Lock(const std::string& stream);
  // Starts to build the stream's index, once it has enough units. `written`: how many more it may
  // have than at the last call.
  void Grow(const std::string& name, size_t written, Deadline deadline);
  uint32_t vector_type() const { return vector_type_; }  // pgvector's number of its type

 private:
  Result<void> Ready(Deadline deadline);
  Result<void> SetUp(Deadline deadline);
  Result<void> Build(const PgStream& stream, Deadline deadline);

  const PgLocation location_;
  std::unique_ptr<PgConnection> connection_;
  PgBackend backend_;  // of the last connection
  uint32_t vector_type_ = 0;
  std::map<std::string, PgStream> streams_;  // that were found on this connection
  std::set<std::string> locks_;              // taken again on each connection
  std::map<int64_t, int64_t> unlooked_;      // units to write before the index is looked at
  std::unique_ptr<PgConnection> builder_;    // works on an index
};

}  // namespace anabranch
