#include "support/hostile_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace anabranch::testing {
namespace {

// Appends what arrives; false: the connection ended.
bool Receive(int fd, std::string* bytes) {
  char block[65536];
  const ssize_t n = recv(fd, block, sizeof block, 0);
  if (n > 0) bytes->append(block, static_cast<size_t>(n));
  return n > 0;
}

// A head, and what came of the body with it.
std::optional<RawRequest> ReadHead(int fd) {
  RawRequest request;
  size_t end;
  while ((end = request.body.find("\r\n\r\n")) == std::string::npos) {
    if (!Receive(fd, &request.body)) return std::nullopt;
  }
  request.head = request.body.substr(0, end);
  request.body.erase(0, end + 4);
  return request;
}

size_t BodySize(const RawRequest& request) {
  const size_t length = request.head.find("Content-Length: ");
  return length == std::string::npos ? 0 : std::stoul(request.head.substr(length + 16));
}

bool ReadBody(int fd, RawRequest* request) {
  while (request->body.size() < BodySize(*request)) {
    if (!Receive(fd, &request->body)) return false;
  }
  return true;
}

}  // namespace

std::string RawRequest::target() const { return head.substr(0, head.find(" HTTP/")); }

HostileServer::HostileServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      listen(listener_, 16) == 0 &&
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port_ = ntohs(address.sin_port);
  }
  thread_ = std::thread([this] { Serve(); });
}

HostileServer::~HostileServer() {
  shutdown(listener_, SHUT_RDWR);  // wakes accept
  thread_.join();
  close(listener_);
}

void HostileServer::Serve() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    std::optional<RawRequest> request = ReadHead(fd);
    if (request && BodySize(*request) > max_body_bytes_) {
      WriteAll(fd, HttpReply("413 Payload Too Large", "Payload too large"));
      shutdown(fd, SHUT_RDWR);
    } else if (request && ReadBody(fd, &*request)) {
      answer_(fd, *request);
    }
    close(fd);
  }
}

bool WriteAll(int fd, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

std::string HttpReply(const std::string& status, const std::string& body,
                      const std::string& headers) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace anabranch::testing
