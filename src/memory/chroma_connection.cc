#include "memory/chroma_connection.h"

#include <fcntl.h>
#include <httplib.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <future>
#include <thread>
#include <utility>

namespace anabranch {
namespace {

using Deadline = ChromaConnection::Deadline;
using std::chrono::milliseconds;

// A server that says 413 may close before such a body is written, and its reply is lost.
constexpr size_t kLongBody = 65536;

milliseconds Until(Deadline deadline) {
  return std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
}

// A write to a closed connection raises SIGPIPE, which would end the program. While this lives it
// does not reach the thread.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec now = {};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

// Numeric addresses of a host; empty: there is none.
std::vector<std::string> Resolve(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  std::vector<std::string> addresses;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) ==
        0) {
      addresses.emplace_back(text);
    }
  }
  freeaddrinfo(list);
  return addresses;
}

// A header carries visible ASCII alone.
bool IsHeaderValue(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::string Fault(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return "no connection";
    case httplib::Error::SSLConnection:
      return "the TLS handshake failed";
    default:
      return "the connection broke before a whole HTTP reply had come";
  }
}

}  // namespace

// Shuts the connection's socket down at the deadline, until it goes out of scope.
class ChromaConnection::Watch {
 public:
  Watch(ChromaConnection* connection, Deadline deadline)
      : thread_([this, connection, deadline] {
          std::unique_lock lock(mutex_);
          if (done_changed_.wait_until(lock, deadline, [this] { return done_; })) return;
          expired_ = true;
          // The socket may not be there yet, or be replaced by that of another address.
          while (!done_) {
            connection->ShutDownSocket();
            done_changed_.wait_for(lock, milliseconds(10));
          }
        }) {}
  ~Watch() { Stop(); }
  // True if the deadline had passed. Call once.
  bool Stop() {
    if (!thread_.joinable()) return expired_;
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    done_changed_.notify_one();
    thread_.join();
    return expired_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false, expired_ = false;
  std::thread thread_;  // last: it uses the others
};

ChromaConnection::ChromaConnection(const ChromaLocation& location)
    : host_(location.host), name_(location.Name()) {}

ChromaConnection::~ChromaConnection() {
  client_.reset();
  HoldSocket(-1);
}

Result<std::unique_ptr<ChromaConnection>> ChromaConnection::Make(const ChromaLocation& location,
                                                                 const std::string& token,
                                                                 const std::string& ca_file) {
  std::unique_ptr<ChromaConnection> connection(new ChromaConnection(location));
  if (!IsHeaderValue(token)) {
    return Fail(ErrorKind::kInvalid, connection->name_,
                "its token holds a space, a line end or what is no ASCII",
                "see the file or variable that it comes from");
  }
  if (location.tls) {
    auto client = std::make_unique<httplib::SSLClient>(location.host, location.port);
    if (!ca_file.empty() &&
        SSL_CTX_load_verify_locations(client->ssl_context(), ca_file.c_str(), nullptr) != 1) {
      return Fail(ErrorKind::kInvalid, ca_file, "holds no certificates in PEM form",
                  "name the file of the certificates to trust for " + connection->name_);
    }
    client->enable_server_certificate_verification(true);
    connection->client_ = std::move(client);
  } else {
    connection->client_ = std::make_unique<httplib::ClientImpl>(location.host, location.port);
  }
  httplib::ClientImpl& client = *connection->client_;
  httplib::Headers headers = {{"Host", location.Authority()},
                              {"Accept-Encoding", "identity"},
                              {"Content-Type", "application/json"}};
  if (!token.empty()) {
    // The first is what Chroma's client and most proxies use, the second what its cloud does.
    headers.emplace("Authorization", "Bearer " + token);
    headers.emplace("X-Chroma-Token", token);
  }
  client.set_default_headers(std::move(headers));
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_decompress(false);
  // The watch alone ends an exchange: these count anew with every byte.
  client.set_read_timeout(std::chrono::hours(1));
  client.set_write_timeout(std::chrono::hours(1));
  client.set_socket_options(
      [self = connection.get()](socket_t fd) { self->HoldSocket(fcntl(fd, F_DUPFD_CLOEXEC, 0)); });
  return connection;
}

void ChromaConnection::HoldSocket(int fd) {
  const std::lock_guard lock(mutex_);
  if (held_fd_ >= 0) close(held_fd_);
  held_fd_ = fd;
}

void ChromaConnection::ShutDownSocket() {
  const std::lock_guard lock(mutex_);
  if (held_fd_ >= 0) shutdown(held_fd_, SHUT_RDWR);
}

Result<std::vector<std::string>> ChromaConnection::Addresses(Deadline deadline) const {
  // Resolution cannot be called off: a resolver that hangs keeps a thread, but not the caller.
  std::packaged_task<std::vector<std::string>()> task([host = host_] { return Resolve(host); });
  std::future<std::vector<std::string>> resolved = task.get_future();
  std::thread(std::move(task)).detach();
  if (resolved.wait_until(deadline) != std::future_status::ready) {
    return Fail(ErrorKind::kUnavailable, name_, "its name was not resolved in time");
  }
  std::vector<std::string> addresses = resolved.get();
  if (addresses.empty()) {
    return Fail(ErrorKind::kUnavailable, name_, "its name has no address");
  }
  return addresses;
}

Result<ChromaReply> ChromaConnection::Exchange(ChromaRequest request, Deadline deadline) {
  const auto start = std::chrono::steady_clock::now();
  const bool kept = client_->is_socket_open() != 0;
  std::vector<std::string> addresses = {""};  // of the connection that is open
  if (!kept) {
    ASSIGN_OR_RETURN(addresses, Addresses(deadline));
  }
  const size_t body_size = request.body.size();
  ChromaReply reply;
  bool too_long = false;
  httplib::Request sent;
  sent.method = request.method;
  sent.path = std::move(request.path);
  sent.body = std::move(request.body);
  sent.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    too_long = size > kMaxReplyBytes - reply.body.size();
    if (!too_long) reply.body.append(data, size);
    return !too_long;
  };

  const NoSigpipe no_sigpipe;
  Watch watch(this, deadline);
  httplib::Result result(nullptr, httplib::Error::Connection);
  for (size_t i = 0; i < addresses.size(); ++i) {
    // An address that swallows packets leaves time for the next one.
    const auto share = Until(deadline) / static_cast<int64_t>(addresses.size() - i);
    client_->set_connection_timeout(std::max(share, milliseconds(1)));
    if (!addresses[i].empty()) client_->set_hostname_addr_map({{host_, addresses[i]}});
    result = client_->send(sent);
    if (result.error() != httplib::Error::Connection &&
        result.error() != httplib::Error::ConnectionTimeout) {
      break;
    }
  }
  // A server may close a kept connection just as a request comes; every call of ours may come
  // twice.
  if (kept && reply.body.empty() && body_size < kLongBody &&
      (result.error() == httplib::Error::Read || result.error() == httplib::Error::Write)) {
    result = client_->send(sent);
  }
  const bool expired = watch.Stop();
  if (expired) {
    // Even if there is a reply: one without a length ends where the socket was shut down.
    HoldSocket(-1);
    const auto waited = std::chrono::duration_cast<milliseconds>(deadline - start).count();
    return Fail(ErrorKind::kUnavailable, name_,
                "no whole reply within " + std::to_string(waited) + " ms");
  }
  if (result) {
    reply.status = result->status;
    reply.retry_after = result->get_header_value("Retry-After");
    return reply;
  }
  HoldSocket(-1);
  if (too_long) {
    return Fail(ErrorKind::kCorrupt, name_,
                "its reply is longer than " + std::to_string(kMaxReplyBytes >> 20) + " MiB",
                "see whether a Chroma server answers there");
  }
  if (result.error() == httplib::Error::SSLServerVerification) {
    return Fail(ErrorKind::kDenied, name_, "its certificate is not trusted, or not this host's",
                "name a file of the certificates to trust beside the system's");
  }
  if (result.error() == httplib::Error::Write && body_size >= kLongBody) {
    return Fail(ErrorKind::kLimit, name_,
                "it hung up on a request of " + std::to_string(body_size) + " bytes");
  }
  return Fail(ErrorKind::kUnavailable, name_, Fault(result.error()),
              "see that a Chroma server runs there");
}

}  // namespace anabranch
