// ChromaStore over TLS: a proxy that demands a token before a real Chroma server.
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "memory/remote_store.h"
#include "support/chroma_server.h"
#include "support/server_process.h"
#include "support/temp_dir.h"

namespace anabranch {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ChromaServer;
using testing::FreePort;
using testing::TempDir;

constexpr const char* kToken = "s3cret-token-of-the-test";

// A certificate authority of its own, and a certificate for the name "localhost" alone.
class Certificates {
 public:
  explicit Certificates(const TempDir& dir) : dir_(dir) {
    MakeAuthority("ca");
    MakeAuthority("other");
    OpenSsl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             key(), "-out", dir_.File("server.csr"), "-subj", "/CN=test server"});
    OpenSsl({"x509", "-req", "-in", dir_.File("server.csr"), "-CA", dir_.File("ca.pem"), "-CAkey",
             dir_.File("ca.key"), "-CAcreateserial", "-days", "2", "-out", certificate(),
             "-extfile", dir_.WriteFile("ext", "subjectAltName=DNS:localhost\n")});
  }
  std::string authority() const { return dir_.File("ca.pem"); }
  std::string other_authority() const { return dir_.File("other.pem"); }
  std::string certificate() const { return dir_.File("server.pem"); }
  std::string key() const { return dir_.File("server.key"); }

 private:
  void MakeAuthority(const std::string& name) {
    OpenSsl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", dir_.File(name + ".key"), "-out", dir_.File(name + ".pem"), "-days", "2",
             "-subj", "/CN=" + name});
  }
  void OpenSsl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/openssl");
    const std::string log = dir_.File("openssl.log");
    EXPECT_EQ(testing::RunCommand(arguments, {}, log), 0);
  }

  const TempDir& dir_;
};

// Passes to a port of 127.0.0.1 what carries the token, and answers 401 to the rest.
class TokenProxy {
 public:
  TokenProxy(const Certificates& certificates, int to_port)
      : server_(certificates.certificate().c_str(), certificates.key().c_str()), to_port_(to_port) {
    const auto pass = [this](const httplib::Request& request, httplib::Response& response) {
      Pass(request, response);
    };
    server_.Get(".*", pass).Post(".*", pass).Delete(".*", pass);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] {
      sigset_t pipe;  // for its own writes, and those of the threads that it starts
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      server_.listen_after_bind();
    });
    while (!server_.is_running()) std::this_thread::sleep_for(milliseconds(1));
  }
  ~TokenProxy() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  void Pass(const httplib::Request& request, httplib::Response& response) {
    if (request.get_header_value("Authorization") != std::string("Bearer ") + kToken ||
        request.get_header_value("X-Chroma-Token") != kToken) {
      response.status = 401;
      response.set_content(
          "{\"message\":\"" + request.get_header_value("Authorization") + " is no token of ours\"}",
          "application/json");
      return;
    }
    httplib::Client chroma("127.0.0.1", to_port_);
    httplib::Request passed;
    passed.method = request.method;
    passed.path = request.target;
    passed.body = request.body;
    passed.headers.emplace("Content-Type", "application/json");
    const auto answer = chroma.send(passed);
    response.status = answer ? answer->status : 502;
    if (answer) response.set_content(answer->body, "application/json");
  }

  httplib::SSLServer server_;
  const int to_port_;
  int port_ = 0;
  std::thread thread_;
};

// Passes bytes on to a port of 127.0.0.1, and hangs up on a client that has sent 100,000.
class HangingRelay {
 public:
  explicit HangingRelay(int to_port) : to_(Loopback(to_port)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      int client;
      while ((client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) Relay(client);
    });
  }
  ~HangingRelay() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  // Passes what is there from one side to the other; 0: that side is done.
  static size_t Pass(int from, int to) {
    char block[4096];
    const ssize_t n = recv(from, block, sizeof block, 0);
    if (n <= 0 || send(to, block, static_cast<size_t>(n), MSG_NOSIGNAL) != n) return 0;
    return static_cast<size_t>(n);
  }
  void Relay(int client) const {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(server, reinterpret_cast<const sockaddr*>(&to_), sizeof to_), 0);
    pollfd sides[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    for (size_t sent = 0; sent < 100000 && poll(sides, 2, -1) > 0;) {
      if (sides[1].revents != 0 && Pass(server, client) == 0) break;
      if (sides[0].revents == 0) continue;
      const size_t n = Pass(client, server);
      if (n == 0) break;
      sent += n;
    }
    shutdown(client, SHUT_RDWR);  // what still comes finds a closed connection: EPIPE there
    close(client);
    close(server);
  }

  const sockaddr_in to_;
  int listener_ = -1, port_ = 0;
  std::thread thread_;
};

class ChromaTls : public ::testing::Test {
 protected:
  void SetUp() override {
    // As a program has it: the proxy's library ignores the signal for the whole process.
    ASSERT_NE(std::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  }

  static RemoteStreamInfo TheStream() { return {"notes", "tok", "emb", 4, 1}; }

  RemoteOptions Options(const std::string& token, const std::string& ca_file) const {
    RemoteOptions options;
    options.password = token;
    options.ca_file = ca_file;
    return options;
  }
  std::string At(const std::string& host) const {
    return "chroma:https://" + host + ":" + std::to_string(proxy_.port());
  }

  // The error of opening a stream, without the token.
  Error Refusal(const std::string& location, const RemoteOptions& options) {
    const auto store = OpenChromaStore(location, options);
    if (!store) return store.error();
    const auto opened = (*store)->OpenStream(TheStream());
    EXPECT_FALSE(opened);
    if (opened) return {};
    if (!options.password.empty()) {
      EXPECT_EQ(opened.error().Message().find(options.password), std::string::npos);
    }
    return opened.error();
  }

  const TempDir dir_;
  const Certificates certificates_{dir_};
  ChromaServer server_{ANABRANCH_SOURCE_DIR};
  TokenProxy proxy_{certificates_, server_.port()};
};

TEST_F(ChromaTls, TheRightTokenOverATrustedCertificateIsLetIn) {
  ASSERT_TRUE(server_.Start()) << server_.Log();
  const auto store = OpenChromaStore(At("localhost"), Options(kToken, certificates_.authority()));
  ASSERT_TRUE(store) << store.error().Message();
  const auto opened = (*store)->OpenStream(TheStream());
  ASSERT_TRUE(opened) << opened.error().Message();
  RemoteUnit unit;
  unit.id = UnitId(7);
  unit.vector = {1, 0, 0, 0};
  unit.text = std::string(300000, 'x');
  ASSERT_TRUE((*store)->Upsert("notes", std::span(&unit, 1)));
  const auto hits = (*store)->Nearest("notes", unit.vector, 1, {false, StreamPos(1)},
                                      steady_clock::now() + std::chrono::seconds(5));
  ASSERT_TRUE(hits) << hits.error().Message();
  ASSERT_EQ(hits->size(), 1u);
  EXPECT_EQ(hits->front().id, unit.id);
}

// The write raises SIGPIPE, which ends a program that has not asked for anything else.
TEST_F(ChromaTls, AConnectionThatBreaksDuringAWriteDoesNotEndTheProgram) {
  ASSERT_TRUE(server_.Start()) << server_.Log();
  const HangingRelay relay(proxy_.port());
  const auto store = OpenChromaStore("chroma:https://localhost:" + std::to_string(relay.port()),
                                     Options(kToken, certificates_.authority()));
  ASSERT_TRUE(store) << store.error().Message();
  const auto opened = (*store)->OpenStream(TheStream());
  ASSERT_TRUE(opened) << opened.error().Message();
  RemoteUnit unit;
  unit.vector = {1, 0, 0, 0};
  unit.text = std::string(size_t{8} << 20, 'x');
  const auto refused = (*store)->Upsert("notes", std::span(&unit, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kLimit) << refused.error().Message();
  EXPECT_TRUE((*store)->Ids("notes")->empty());
}

TEST_F(ChromaTls, AWrongTokenIsDeniedAndNotRepeated) {
  const auto error = Refusal(At("localhost"), Options("hunter2hunter2", certificates_.authority()));
  EXPECT_EQ(error.kind, ErrorKind::kDenied);
  EXPECT_NE(error.Message().find("401"), std::string::npos) << error.Message();
  EXPECT_NE(error.Message().find("ANABRANCH_MEMORY_PASSWORD"), std::string::npos);
  EXPECT_EQ(Refusal(At("localhost"), Options("", certificates_.authority())).kind,
            ErrorKind::kDenied);
}

TEST_F(ChromaTls, ACertificateThatIsNotTrustedIsRefused) {
  for (const std::string& ca_file : {std::string(), certificates_.other_authority()}) {
    const auto error = Refusal(At("localhost"), Options(kToken, ca_file));
    EXPECT_EQ(error.kind, ErrorKind::kDenied) << ca_file;
    EXPECT_NE(error.Message().find("certificate"), std::string::npos) << error.Message();
  }
}

TEST_F(ChromaTls, ACertificateOfAnotherHostIsRefused) {
  const auto error = Refusal(At("127.0.0.1"), Options(kToken, certificates_.authority()));
  EXPECT_EQ(error.kind, ErrorKind::kDenied);
  EXPECT_NE(error.Message().find("host"), std::string::npos) << error.Message();
}

TEST_F(ChromaTls, AFileWithoutCertificatesIsRefusedAtOnce) {
  for (const std::string& file : {dir_.File("nothing.pem"), dir_.WriteFile("text", "no PEM\n")}) {
    const auto store = OpenChromaStore(At("localhost"), Options(kToken, file));
    ASSERT_FALSE(store) << file;
    EXPECT_EQ(store.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(store.error().Message().find(file), std::string::npos);
  }
}

TEST_F(ChromaTls, TlsAndPlainHttpDoNotMeet) {
  ASSERT_TRUE(server_.Start()) << server_.Log();
  const RemoteOptions options = Options(kToken, certificates_.authority());
  const std::string plain_port = std::to_string(server_.port());
  EXPECT_EQ(Refusal("chroma:https://localhost:" + plain_port, options).kind,
            ErrorKind::kUnavailable);
  EXPECT_EQ(Refusal("chroma:http://localhost:" + std::to_string(proxy_.port()), options).kind,
            ErrorKind::kUnavailable);
}

// Accepts, and never shakes hands.
TEST_F(ChromaTls, TheDeadlineHoldsForTheHandshake) {
  ASSERT_TRUE(server_.Start()) << server_.Log();
  server_.Signal(SIGSTOP);
  RemoteOptions options = Options(kToken, certificates_.authority());
  options.timeout = milliseconds(300);
  const auto begin = steady_clock::now();
  const auto error = Refusal("chroma:https://localhost:" + std::to_string(server_.port()), options);
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable) << error.Message();
  EXPECT_LT(steady_clock::now() - begin, milliseconds(2000));
}

}  // namespace
}  // namespace anabranch
