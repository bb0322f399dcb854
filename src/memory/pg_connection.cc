#include "memory/pg_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace anabranch {
namespace {

using Deadline = RemoteStore::Deadline;
using Handle = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// False: the deadline has passed.
bool WaitFor(int socket, bool to_read, Deadline deadline) {
  pollfd waiting = {socket, static_cast<int16_t>(to_read ? POLLIN : POLLOUT), 0};
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int n = poll(&waiting, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60000)));
    if (n > 0) return true;
    if (left.count() <= 0) return false;
  }
}

Result<Handle> Connect(const PgLocation& location, Deadline deadline) {
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : location.options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  Handle connection(PQconnectStartParams(keys.data(), values.data(), 0), &PQfinish);
  if (connection == nullptr) return Fail(ErrorKind::kLimit, location.name, "no memory is left");
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);

  auto state =
      PQstatus(connection.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    if (!WaitFor(PQsocket(connection.get()), state == PGRES_POLLING_READING, deadline)) {
      return PgTimeout(location);
    }
    state = PQconnectPoll(connection.get());
  }
  if (state == PGRES_POLLING_OK) return connection;
  return PgConnectFailure(location, PQerrorMessage(connection.get()));
}

}  // namespace

PgHandle::handle PgHandle::do_startconnect(handle orig) {
  if (orig != nullptr) return orig;
  if (connected_ == nullptr) throw pqxx::broken_connection();
  return std::exchange(connected_, nullptr);
}

Result<std::unique_ptr<PgConnection>> PgConnection::Open(const PgLocation* location,
                                                         Deadline deadline) {
  ASSIGN_OR_RETURN(Handle connected, Connect(*location, deadline));
  std::unique_ptr<PgConnection> connection(new PgConnection(location, connected.release()));
  try {
    connection->init();
    connection->set_verbosity(pqxx::connection_base::verbose);  // SQLSTATEs in messages
  } catch (const std::exception& thrown) {
    return PgCallFailure(*location, thrown);
  }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection->inhibit_reactivation(true);  // gone in libpqxx 7, with what it inhibits
#pragma GCC diagnostic pop
  return connection;
}

PgConnection::PgConnection(const PgLocation* location, PgHandle::handle connected)
    : pqxx::connection_base(policy_),
      location_(location),
      handle_(connected),
      policy_(connected),
      watchdog_(PQsocket(connected)) {}

PgConnection::~PgConnection() noexcept { close(); }

bool PgConnection::alive() {
  if (watchdog_.fired() || !is_open()) return false;
  // A server that went away has closed its end.
  pollfd end = {PQsocket(handle_), POLLIN, 0};
  if (poll(&end, 1, 0) > 0) PQconsumeInput(handle_);
  return is_open();
}

void PgConnection::Send(const std::string& sql) { PQsendQuery(handle_, sql.c_str()); }

bool PgConnection::Done() {
  return PQconsumeInput(handle_) == 0 || PQisBusy(handle_) == 0 || !is_open();
}

}  // namespace anabranch
