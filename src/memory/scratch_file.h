// A database file of a benchmark, which goes with it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace anabranch {

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& folder)
      : path_((std::filesystem::path(folder) /
               ("anabranch-bench-" + std::to_string(getpid()) + ".db"))
                  .string()) {}
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() {
    std::error_code ignored;
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace anabranch
