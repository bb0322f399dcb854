// A folder that lives as long as its object.
#pragma once

#include <string>
#include <string_view>

namespace anabranch::testing {

class TempDir {
 public:
  TempDir();   // a new, empty folder under the system's folder for temporary files
  ~TempDir();  // removes it with all that is in it
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // The path of `name` in the folder, which need not exist.
  std::string File(std::string_view name) const;
  // Writes (or overwrites) a file and returns its path.
  std::string WriteFile(std::string_view name, std::string_view bytes) const;

 private:
  std::string path_;
};

}  // namespace anabranch::testing
