#include "cli/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace anabranch::cli {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

ByteSource SourceOf(std::shared_ptr<FileDescriptor> file, std::string name,
                    const std::atomic<bool>* cancel) {
  return [file, name, cancel](std::span<char> buffer) -> Result<size_t> {
    while (true) {
      if (cancel != nullptr && *cancel) {
        return Fail(ErrorKind::kInterrupted, name, "reading was stopped");
      }
      const ssize_t n = read(file->get(), buffer.data(), buffer.size());
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) return Fail(ErrorKind::kIo, name, std::strerror(errno));
    }
  };
}

}  // namespace

Input StdinInput(const std::atomic<bool>* cancel) {
  struct stat status {};
  const bool regular = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  return {.name = "stdin",
          .read = SourceOf(std::make_shared<FileDescriptor>(STDIN_FILENO), "stdin", cancel),
          .total_bytes = regular ? status.st_size : 0};
}

Result<Input> OpenInput(const std::string& path, const std::string& data_root,
                        const std::atomic<bool>* cancel) {
  if (path == "-") return StdinInput(cancel);
  namespace fs = std::filesystem;
  std::string found = path;
  std::error_code error;
  if (!data_root.empty() && !fs::path(path).is_absolute() && !fs::exists(path, error)) {
    found = (fs::path(data_root) / path).string();
  }
  auto file = std::make_shared<FileDescriptor>(open(found.c_str(), O_RDONLY | O_CLOEXEC));
  if (file->get() < 0) {
    const bool missing = errno == ENOENT;
    return Fail(missing ? ErrorKind::kNotFound : ErrorKind::kIo, path,
                data_root.empty()
                    ? std::strerror(errno)
                    : fmt::format("{}, under {} as well", std::strerror(errno), data_root),
                missing ? "give the path of a file that exists" : "");
  }
  struct stat status {};
  if (fstat(file->get(), &status) != 0) {
    return Fail(ErrorKind::kIo, path, std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    return Fail(ErrorKind::kInvalid, path, "is a folder", "name a file in it");
  }
  return Input{.name = found,
               .read = SourceOf(file, found, cancel),
               .total_bytes = S_ISREG(status.st_mode) ? status.st_size : 0};
}

Result<std::string> ReadAll(const Input& input, size_t limit) {
  std::string all;
  std::string piece(kReadBytes, '\0');
  while (true) {
    Result<size_t> n = input.read(piece);
    if (!n) return tl::unexpected(n.error());
    if (*n == 0) return all;
    if (*n > limit - all.size()) {
      return Fail(ErrorKind::kLimit, input.name, fmt::format("is longer than {} bytes", limit),
                  "give it in smaller files");
    }
    all.append(piece, 0, *n);
  }
}

Result<std::string_view> InputBuffer::Peek(size_t n) {
  while (!at_end_ && buffer_.size() - begin_ < n) {
    if (begin_ > 0) {
      buffer_.erase(0, begin_);
      begin_ = 0;
    }
    const size_t size = buffer_.size();
    buffer_.resize(size + kReadBytes);
    Result<size_t> read = input_.read(std::span(buffer_).subspan(size));
    buffer_.resize(size + read.value_or(0));
    if (!read) return tl::unexpected(read.error());
    at_end_ = *read == 0;
  }
  return std::string_view(buffer_).substr(begin_);
}

void InputBuffer::Consume(size_t n) {
  const auto first = buffer_.begin() + static_cast<ptrdiff_t>(begin_);
  line_ += std::count(first, first + static_cast<ptrdiff_t>(n), '\n');
  begin_ += n;
  consumed_ += static_cast<int64_t>(n);
}

Result<std::optional<std::string>> InputBuffer::Line(size_t limit) {
  size_t searched = 0;
  while (true) {
    Result<std::string_view> bytes = Peek(searched + 1);
    if (!bytes) return tl::unexpected(bytes.error());
    const size_t end = bytes->find('\n', searched);
    const bool last = end == std::string_view::npos && bytes->size() == searched;
    if (last && bytes->empty()) return std::optional<std::string>();
    if (end != std::string_view::npos || last) {
      std::string line(bytes->substr(0, end));
      Consume(last ? line.size() : end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return std::optional<std::string>(std::move(line));
    }
    searched = bytes->size();
    if (searched > limit) {
      return Fail(ErrorKind::kLimit, fmt::format("{}, line {}", input_.name, line_),
                  fmt::format("is longer than {} bytes", limit), "break it into shorter lines");
    }
  }
}

}  // namespace anabranch::cli
