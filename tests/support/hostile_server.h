// An HTTP server on 127.0.0.1 whose answers are raw bytes: whatever no honest server sends.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace anabranch::testing {

// One request's head ("POST /path HTTP/1.1" and headers), with its body.
struct RawRequest {
  std::string head, body;
  std::string target() const;  // "POST /path"
};

class HostileServer {
 public:
  // `answer` writes to the connection `fd`, which is closed behind it. Called on the server's
  // thread, one connection at a time.
  using Answer = std::function<void(int fd, const RawRequest& request)>;
  explicit HostileServer(Answer answer);
  ~HostileServer();
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;

  int port() const { return port_; }
  // From now on a request whose body is longer is answered 413 as soon as its head is there, and
  // its connection shut.
  void RefuseAbove(size_t body_bytes) { max_body_bytes_ = body_bytes; }

 private:
  void Serve();

  Answer answer_;
  std::atomic<size_t> max_body_bytes_ = SIZE_MAX;
  int listener_ = -1, port_ = 0;
  std::thread thread_;
};

// Writes all of it; false: the other side is gone.
bool WriteAll(int fd, const std::string& bytes);
// "HTTP/1.1 STATUS\r\n" with headers (each with its "\r\n"), the body's length, and the body.
std::string HttpReply(const std::string& status, const std::string& body,
                      const std::string& headers = "");

}  // namespace anabranch::testing
