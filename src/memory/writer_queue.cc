#include "memory/writer_queue.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "memory/lock_file.h"

namespace anabranch {
namespace {

// Locks of an open file, not of a process: two connections of one process are apart, too.
struct flock Bytes(int64_t begin, int64_t n) {
  struct flock bytes = {};
  bytes.l_type = F_WRLCK;
  bytes.l_whence = SEEK_SET;
  bytes.l_start = begin;
  bytes.l_len = n;
  return bytes;
}

}  // namespace

WriterQueue::WriterQueue(WriterQueue&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), place_(other.place_) {}

WriterQueue& WriterQueue::operator=(WriterQueue&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(place_, other.place_);
  return *this;
}

bool WriterQueue::IsThere() const { return !path_.empty() && access(path_.c_str(), F_OK) == 0; }

bool WriterQueue::Join() {
  if (joined() || path_.empty()) return true;
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return true;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !IsStillAt(fd, path_)) {
    close(fd);
    return false;
  }
  struct stat file = {};
  if (fstat(fd, &file) == 0 && ftruncate(fd, file.st_size + 1) == 0) {
    struct flock place = Bytes(file.st_size, 1);
    if (fcntl(fd, F_OFD_SETLK, &place) == 0) {
      flock(fd, LOCK_UN);
      fd_ = fd;
      place_ = file.st_size;
      return true;
    }
  }
  close(fd);
  return true;
}

bool WriterQueue::IsFirst() const {
  if (!joined() || place_ == 0) return true;
  struct flock before = Bytes(0, place_);
  return fcntl(fd_, F_OFD_GETLK, &before) != 0 || before.l_type == F_UNLCK;
}

void WriterQueue::Leave() {
  if (!joined()) return;
  const auto is_last = [this] {
    struct stat file = {};
    return fstat(fd_, &file) == 0 && file.st_size == place_ + 1;
  };
  // Whoever opened the file meanwhile sees that it is gone.
  if (is_last() && flock(fd_, LOCK_EX | LOCK_NB) == 0 && is_last() && IsStillAt(fd_, path_)) {
    unlink(path_.c_str());
  }
  close(std::exchange(fd_, -1));
}

}  // namespace anabranch
