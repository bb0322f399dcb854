// One writer per stream: a lock that dies with its process.
#pragma once

#include <string>

#include "base/result.h"

namespace anabranch {

// Holds FILE-<hash of the stream's name>.lock, an flock(2) of an open file: a second open of the
// same process conflicts as well. The file names its holder, and is removed when the lock is given
// up.
class StreamLock {
 public:
  // Error kBusy names the process and host that hold it.
  static Result<StreamLock> Take(const std::string& store_path, const std::string& stream);
  StreamLock() = default;  // holds nothing
  StreamLock(StreamLock&& other) noexcept;
  StreamLock& operator=(StreamLock&& other) noexcept;
  ~StreamLock();

 private:
  int fd_ = -1;
  std::string path_;
};

}  // namespace anabranch
