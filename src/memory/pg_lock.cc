#include "memory/pg_lock.h"

#include <fmt/format.h>

#include "memory/pg_schema.h"

namespace anabranch {
namespace {

// The sessions that hold the advisory lock $1.
constexpr const char* kHolders =
    "FROM pg_catalog.pg_locks JOIN pg_catalog.pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND database = "
    "(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND "
    "(classid::bigint << 32 | objid::bigint) = $1::bigint";

bool TryLock(pqxx::transaction_base* db, int64_t key) {
  return db->exec_params1("SELECT pg_try_advisory_lock($1)", key)[0].as<bool>();
}

}  // namespace

PgBackend ThisPgBackend(pqxx::transaction_base* db) {
  const pqxx::row row = db->exec1(
      "SELECT pid, backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()");
  return {row[0].as<int>(), row[1].c_str()};
}

Result<void> TakePgLock(pqxx::transaction_base* db, const std::string& store,
                        const std::string& stream, const PgBackend& previous) {
  const int64_t key = PgStreamLockKey(stream);
  const std::string what = "stream '" + stream + "' of " + store;
  constexpr int kTries = 20;  // a backend that is told to end does so at once, if it runs at all
  for (int i = 0; i < kTries; ++i) {
    if (TryLock(db, key)) return {};
    // What others do is shown to their own user and to administrators only.
    const pqxx::result holders = db->exec_params(
        std::string("SELECT pid, backend_start, coalesce(nullif(application_name, ''), 'another "
                    "program'), coalesce(host(client_addr), 'an address that is not shown') ") +
            kHolders,
        key);
    if (holders.empty()) continue;  // it has just been given up
    const pqxx::row holder = holders[0];
    const int pid = holder[0].as<int>();
    if (pid != previous.pid || previous.start != holder[1].c_str()) {
      return Fail(ErrorKind::kBusy, what,
                  fmt::format("is being written by {} (server process {}, from {})",
                              holder[2].c_str(), pid, holder[3].c_str()),
                  "end it, or use another stream name");
    }
    db->exec_params("SELECT pg_terminate_backend($1), pg_sleep(0.05)", pid);
  }
  return Fail(ErrorKind::kUnavailable, what, "our own last connection still holds it", "try again");
}

void EndPgHolders(pqxx::transaction_base* db, int64_t key) {
  db->exec_params(std::string("SELECT pg_terminate_backend(pid) ") + kHolders, key);
}

}  // namespace anabranch
