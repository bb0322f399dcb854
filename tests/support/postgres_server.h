// A PostgreSQL server of a test's own, with pgvector where its binaries have it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/server_process.h"
#include "support/temp_dir.h"

namespace anabranch::testing {

struct PostgresOptions {
  std::string bin;       // the folder of initdb and postgres; "": those of script/bootstrap --test
  bool durable = false;  // fsync: for tests that end the server by force
  std::string certificate, key;  // PEM: it speaks TLS as well
};

// Runs on a free port of 127.0.0.1 and on a socket, as a user that is not root, and asks for
// passwords. Two roles: kAdmin is a superuser, kUser owns the databases and is nothing else.
// Fails with an exception that holds the server's log.
class PostgresServer {
 public:
  static constexpr const char* kAdmin = "admin";
  static constexpr const char* kUser = "keeper";
  static constexpr const char* kPassword = "s3cret-of-the-test";  // of both

  // `source_dir`: ANABRANCH_SOURCE_DIR.
  explicit PostgresServer(const std::string& source_dir, PostgresOptions options = {});
  ~PostgresServer();

  // A new database of kUser; with the extension unless told otherwise. Its name.
  std::string CreateDatabase(bool with_vector = true);
  std::string Location(const std::string& database, const std::string& user = kUser) const;
  std::string SocketLocation(const std::string& database) const;
  int port() const { return port_; }

  // Runs SQL as kAdmin with psql; the rows, unaligned ("a|b\n").
  std::string Sql(const std::string& database, const std::string& sql) const;

  // Stops, and starts again on the same port and data.
  void Stop(int signal);
  void Start();
  // Stops all its processes where they are (SIGSTOP), and lets them go on.
  void Pause();
  void Resume();

 private:
  void GiveAway(const std::string& path) const;  // to the user that the server runs as
  std::vector<int> Processes() const;            // the first one, then its children
  std::string Program(const std::string& name) const { return options_.bin + "/" + name; }

  PostgresOptions options_;
  TempDir dir_;
  int port_ = 0;
  bool with_vector_ = false;
  int n_databases_ = 0;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace anabranch::testing
