// TLS to PostgreSQL. The server is Debian's, which has no pgvector: that it says so shows that we
// are in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "memory/pg_store_fixture.h"
#include "support/temp_dir.h"

namespace anabranch {
namespace {

using namespace testing;
using namespace testing::postgres;
using ::testing::HasSubstr;

// Two authorities, and a certificate for "localhost" that the first one signed.
class PgTls : public ::testing::Test {
 protected:
  PgTls() {
    Authority("ca");
    Authority("other");
    const std::string names = dir_.WriteFile("names", "subjectAltName=DNS:localhost\n");
    OpenSsl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout",
             dir_.File("server.key"), "-out", dir_.File("server.csr")});
    OpenSsl({"x509", "-req", "-days", "2", "-in", dir_.File("server.csr"), "-CA",
             dir_.File("ca.pem"), "-CAkey", dir_.File("ca.key"), "-CAcreateserial", "-extfile",
             names, "-out", dir_.File("server.pem")});
    PostgresOptions options;
    options.bin = "/usr/lib/postgresql/15/bin";
    options.certificate = Read("server.pem");
    options.key = Read("server.key");
    server_ = std::make_unique<PostgresServer>(ANABRANCH_SOURCE_DIR, options);
  }

  void OpenSsl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/openssl");
    ASSERT_EQ(RunCommand(arguments, {}, dir_.File("openssl.log")), 0) << Read("openssl.log");
  }

  void Authority(const std::string& name) {
    OpenSsl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name,
             "-keyout", dir_.File(name + ".key"), "-out", dir_.File(name + ".pem")});
  }

  std::string Read(const std::string& name) const {
    std::ifstream file(dir_.File(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // What a first call says of a location at a host with options.
  Error Try(const std::string& host, const std::string& options, const std::string& ca = "") {
    RemoteOptions given;
    if (!ca.empty()) given.ca_file = dir_.File(ca);
    const std::string location = "postgresql://keeper@" + host + ":" +
                                 std::to_string(server_->port()) + "/postgres?" + options;
    const auto streams = Open(location, given)->Streams();
    EXPECT_FALSE(streams);
    return streams ? Error() : streams.error();
  }

  TempDir dir_;
  std::unique_ptr<PostgresServer> server_;
};

TEST_F(PgTls, IsVerified) {
  const std::string ca = "sslrootcert=" + dir_.File("ca.pem");
  const std::string other = "sslrootcert=" + dir_.File("other.pem");
  // The right authority and host: we are in.
  for (const Error& error :
       {Try("localhost", "sslmode=verify-full&" + ca), Try("localhost", "", "ca.pem"),
        Try("127.0.0.1", "sslmode=verify-ca&" + ca)}) {
    EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
    EXPECT_THAT(error.Message(), HasSubstr("no extension pgvector"));
    EXPECT_THAT(error.Message(), HasSubstr("postgresql-15-pgvector"));
    EXPECT_THAT(error.Message(), HasSubstr("CREATE EXTENSION vector"));
  }
  // Another authority.
  for (const Error& error :
       {Try("localhost", "sslmode=verify-full&" + other), Try("localhost", "", "other.pem")}) {
    EXPECT_EQ(error.kind, ErrorKind::kDenied);
    EXPECT_THAT(error.Message(), HasSubstr("certificate verify failed"));
  }
  // Another host's name.
  const Error mismatch = Try("127.0.0.1", "", "ca.pem");
  EXPECT_EQ(mismatch.kind, ErrorKind::kDenied);
  EXPECT_THAT(mismatch.Message(), HasSubstr("does not match host name"));
  // No such file.
  EXPECT_EQ(Try("localhost", "", "nothing.pem").kind, ErrorKind::kDenied);
}

TEST(PgTlsNone, AServerWithoutTlsIsRefusedWhereTlsIsAskedFor) {
  const std::string database = Postgres().CreateDatabase();
  const auto refused = Open(Postgres().Location(database) + "?sslmode=require")->Streams();
  ASSERT_FAILS(refused, kDenied);
  EXPECT_THAT(refused.error().Message(), HasSubstr("does not support SSL"));
}

}  // namespace
}  // namespace anabranch
