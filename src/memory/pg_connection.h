// One connection to PostgreSQL: no call waits beyond its deadline, and no exception leaves it.
#pragma once

#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <type_traits>

#include "base/result.h"
#include "memory/pg_failure.h"
#include "memory/pg_location.h"
#include "memory/pg_watchdog.h"
#include "memory/remote_store.h"

namespace anabranch {

// libpqxx's connection of ours. It is given once: libpqxx would open another by itself, which would
// have no deadline, no settings and no locks.
class PgHandle : public pqxx::connectionpolicy {
 public:
  explicit PgHandle(handle connected) : pqxx::connectionpolicy(""), connected_(connected) {}
  handle do_startconnect(handle orig) override;

 private:
  handle connected_;
};

// Threads: one at a time.
class PgConnection : private pqxx::connection_base {
 public:
  // `location` must outlive it. The system's name resolution is not under the deadline.
  static Result<std::unique_ptr<PgConnection>> Open(const PgLocation* location,
                                                    RemoteStore::Deadline deadline);
  ~PgConnection() noexcept;

  // work(Transaction&) -> Result<T> in a transaction of libpqxx, committed if it succeeds.
  // pqxx::nontransaction for a single statement: one round trip.
  template <typename Transaction, typename Work>
  std::invoke_result_t<Work, Transaction&> Run(RemoteStore::Deadline deadline, Work&& work) {
    if (deadline <= std::chrono::steady_clock::now()) return PgTimeout(*location_);
    const Guard guard(&watchdog_, deadline);
    try {
      Transaction transaction(*this);
      auto result = work(transaction);
      if (result) transaction.commit();
      return result;
    } catch (const std::exception& thrown) {
      if (watchdog_.fired()) return PgTimeout(*location_);
      return PgCallFailure(*location_, thrown);
    }
  }

  // False: it is of no use any more.
  bool alive();
  // Sends a statement that nobody waits for: the server works on it even after the connection is
  // closed. Nothing else may run on this connection.
  void Send(const std::string& sql);
  // True once the server has done what was sent, or the connection is lost.
  bool Done();

 private:
  struct Guard {
    Guard(PgWatchdog* dog, RemoteStore::Deadline deadline) : watchdog(dog) {
      watchdog->Set(deadline);
    }
    ~Guard() { watchdog->Set(std::nullopt); }
    PgWatchdog* watchdog;
  };

  PgConnection(const PgLocation* location, PgHandle::handle connected);

  const PgLocation* location_;
  const PgHandle::handle handle_;
  PgHandle policy_;
  PgWatchdog watchdog_;
};

}  // namespace anabranch
