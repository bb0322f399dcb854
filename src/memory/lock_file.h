// Files that are there only to be locked, and go when nobody needs them.
#pragma once

#include <string>

namespace anabranch {

// False if the file that was opened at `path` has been removed since: a lock of it guards nothing.
bool IsStillAt(int fd, const std::string& path);

}  // namespace anabranch
