#include "memory/lock_file.h"

#include <sys/stat.h>

namespace anabranch {

bool IsStillAt(int fd, const std::string& path) {
  struct stat opened = {}, named = {};
  return fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace anabranch
