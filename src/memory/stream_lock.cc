#include "memory/stream_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "memory/lock_file.h"

namespace anabranch {
namespace {

std::string Holder(int fd) {
  std::array<char, 256> text = {};
  const ssize_t n = pread(fd, text.data(), text.size() - 1, 0);
  return n > 0 ? std::string(text.data(), static_cast<size_t>(n)) : "another process";
}

void WriteHolder(int fd) {
  std::array<char, 128> host = {};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  const std::string text = fmt::format("process {} on {}", getpid(), host.data());
  // Only words for an error message: the lock holds without them.
  if (ftruncate(fd, 0) == 0) static_cast<void>(!pwrite(fd, text.data(), text.size(), 0));
}

}  // namespace

Result<StreamLock> StreamLock::Take(const std::string& store_path, const std::string& stream) {
  StreamLock lock;
  lock.path_ =
      fmt::format("{}-{:016x}.lock", store_path, XXH3_64bits(stream.data(), stream.size()));
  while (true) {
    lock.fd_ = open(lock.path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock.fd_ < 0) {
      return Fail(ErrorKind::kIo, lock.path_, std::strerror(errno),
                  "check the permissions of its folder");
    }
    if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      const std::string holder = Holder(lock.fd_);
      close(std::exchange(lock.fd_, -1));
      if (error != EWOULDBLOCK) return Fail(ErrorKind::kIo, lock.path_, std::strerror(error));
      return Fail(ErrorKind::kBusy, "stream '" + stream + "' of " + store_path,
                  "is being written by " + holder, "end it, or use another stream name");
    }
    if (IsStillAt(lock.fd_, lock.path_)) break;
    close(std::exchange(lock.fd_, -1));
  }
  WriteHolder(lock.fd_);
  return lock;
}

StreamLock::StreamLock(StreamLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

StreamLock& StreamLock::operator=(StreamLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

StreamLock::~StreamLock() {
  if (fd_ < 0) return;
  unlink(
      path_.c_str());  // while it is still held: whoever opened it meanwhile sees that it is gone
  close(fd_);
}

}  // namespace anabranch
