#include "memory/pg_watchdog.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace anabranch {

PgWatchdog::PgWatchdog(int socket)
    : socket_(fcntl(socket, F_DUPFD_CLOEXEC, 0)), thread_([this] { Watch(); }) {}

PgWatchdog::~PgWatchdog() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
  close(socket_);
}

void PgWatchdog::Set(std::optional<Deadline> deadline) {
  {
    const std::lock_guard lock(mutex_);
    deadline_ = deadline;
  }
  changed_.notify_one();
}

bool PgWatchdog::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

void PgWatchdog::Watch() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (!deadline_) {
      changed_.wait(lock);
    } else if (std::chrono::steady_clock::now() < *deadline_) {
      const Deadline until = *deadline_;
      changed_.wait_until(lock, until);
    } else {
      fired_ = true;
      deadline_.reset();
      shutdown(socket_, SHUT_RDWR);
    }
  }
}

}  // namespace anabranch
