// One kept HTTP connection to a Chroma server, whose every exchange ends by its deadline.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/chroma_location.h"

namespace httplib {
class ClientImpl;
}

namespace anabranch {

struct ChromaRequest {
  const char* method = "GET";
  std::string path;
  std::string body;  // JSON; "": none
};

struct ChromaReply {
  int status = 0;
  std::string retry_after;  // the header, as it came
  std::string body;
};

// Threads: one at a time.
class ChromaConnection {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  // A longer reply is an error: no call of ours needs one.
  static constexpr size_t kMaxReplyBytes = size_t{16} << 20;

  // Does not connect. `token`: "" for none. `ca_file`: certificates to trust beside the system's.
  // Errors, kInvalid: a file that holds no certificates, a token that no header can carry.
  static Result<std::unique_ptr<ChromaConnection>> Make(const ChromaLocation& location,
                                                        const std::string& token,
                                                        const std::string& ca_file);
  ~ChromaConnection();

  // The server's reply, whatever its status. Name resolution, connecting, TLS, sending and
  // receiving take until the deadline at most, however slowly bytes come. Errors: kUnavailable: no
  // connection, a broken one, the deadline; kDenied: a certificate that is not trusted or not this
  // host's; kCorrupt: a reply above kMaxReplyBytes; kLimit: it broke while a long body was sent.
  Result<ChromaReply> Exchange(ChromaRequest request, Deadline deadline);

 private:
  class Watch;

  explicit ChromaConnection(const ChromaLocation& location);
  Result<std::vector<std::string>> Addresses(Deadline deadline) const;
  // A second descriptor of the socket that is in use: shutting it down wakes the exchange, and it
  // cannot come to name another socket meanwhile.
  void HoldSocket(int fd);
  void ShutDownSocket();

  const std::string host_, name_;
  std::unique_ptr<httplib::ClientImpl> client_;
  std::mutex mutex_;  // guards held_fd_: the watch is a thread
  int held_fd_ = -1;
};

}  // namespace anabranch
