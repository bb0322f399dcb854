// One writer per stream of a PostgreSQL database: an advisory lock of the session, which dies with
// its connection.
//
// All functions run within a transaction and throw what libpqxx throws (PgConnection::Run).
#pragma once

#include <pqxx/pqxx>
#include <string>

#include "base/result.h"

namespace anabranch {

// A server process, told from a later one with the same id.
struct PgBackend {
  int pid = 0;
  std::string start;
};

PgBackend ThisPgBackend(pqxx::transaction_base* db);

// Takes the lock; taken twice it is held once more. `previous`: our own backend of a connection
// that broke. The server may not have noticed yet: it is ended if it holds the lock. Error kBusy
// names the holder; kUnavailable: our own backend has not ended yet.
Result<void> TakePgLock(pqxx::transaction_base* db, const std::string& store,
                        const std::string& stream, const PgBackend& previous);
// Ends the sessions that hold an advisory lock.
void EndPgHolders(pqxx::transaction_base* db, int64_t key);

}  // namespace anabranch
