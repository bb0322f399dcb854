// Ends what waits for a server that says nothing: libpqxx waits without a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace anabranch {

// Shuts a socket down when a call outlives its deadline: reads and writes of it then fail at once.
// A thread of its own, which sleeps between calls.
class PgWatchdog {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Keeps a duplicate of the socket, so that it is the same one even after its owner closed it.
  explicit PgWatchdog(int socket);
  ~PgWatchdog();
  PgWatchdog(const PgWatchdog&) = delete;
  PgWatchdog& operator=(const PgWatchdog&) = delete;

  // Guards from here on; nullopt: guards no longer.
  void Set(std::optional<Deadline> deadline);
  // True once a deadline has passed; the socket is dead.
  bool fired() const;

 private:
  void Watch();

  const int socket_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Deadline> deadline_;
  bool fired_ = false, closing_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace anabranch
