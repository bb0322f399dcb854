#include "io/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace anabranch {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Failure SystemFailure(const std::string& path, const char* action, int error) {
  ErrorKind kind = error == ENOENT || error == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kIo;
  if (kind == ErrorKind::kNotFound) return Fail(kind, path, "no such file", "check the path");
  return Fail(kind, path, std::string(action) + ": " + std::generic_category().message(error));
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  // Non-blocking, so that a FIFO is refused below instead of waited for.
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return SystemFailure(path, "cannot open", errno);
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return SystemFailure(path, "cannot read its size", errno);
  if (S_ISDIR(status.st_mode)) {
    return Fail(ErrorKind::kInvalid, path, "is a folder", "name the file in it");
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorKind::kInvalid, path, "is no regular file and cannot be mapped",
                "copy it to a file first");
  }
  if (status.st_size == 0) {
    return Fail(ErrorKind::kCorrupt, path, "is empty", "get it again");
  }
  auto size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return SystemFailure(path, "cannot map", errno);
  MappedFile file;
  file.path_ = path;
  file.bytes_ = {static_cast<const std::byte*>(data), size};
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::Drop(std::span<const std::byte> range) const {
  // Whole pages alone: what shares a page with the range may still be read.
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(range.data());
  uintptr_t end = (begin + range.size()) / page * page;
  begin = (begin + page - 1) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace anabranch
