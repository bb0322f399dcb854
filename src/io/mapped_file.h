// A file mapped read-only into memory. As with any mapping, a process that shortens the file while
// it is mapped kills its readers (SIGBUS): replace a model by renaming, not by overwriting.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/result.h"

namespace anabranch {

class MappedFile {
 public:
  // Errors name the path: missing, a folder, empty, not readable.
  static Result<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  // Tells the kernel that these bytes (within bytes()) will not be read again soon.
  void Drop(std::span<const std::byte> range) const;

 private:
  MappedFile() = default;
  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace anabranch
