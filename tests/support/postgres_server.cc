#include "support/postgres_server.h"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

// libpqxx 6.4 leaks the last result of a connection that breaks, some 2 kB, in functions of which
// some have no names to go by. LeakSanitizer asks here.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }

namespace anabranch::testing {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;  // PostgreSQL refuses to run as root

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

PostgresServer::PostgresServer(const std::string& source_dir, PostgresOptions options)
    : options_(std::move(options)), port_(FreePort()) {
  fs::permissions(dir_.path(), fs::perms(0755));
  const std::string log = dir_.File("initdb.log");
  if (options_.bin.empty()) {
    const fs::path installed = fs::path(source_dir) / ".venv/postgres";
    options_.bin = (installed / "pgserver/pginstall/bin").string();
    if (RunCommand({Program("postgres"), "--version"}, {}, log, kNobody) != 0) {
      // The folder is this user's alone. Libraries are found relative to the programs.
      const fs::path copy = dir_.File("installed");
      for (const char* part : {"pgserver/pginstall", "pgserver.libs"}) {
        fs::create_directories((copy / part).parent_path());
        fs::copy(installed / part, copy / part,
                 fs::copy_options::recursive | fs::copy_options::copy_symlinks);
      }
      options_.bin = (copy / "pgserver/pginstall/bin").string();
    }
    with_vector_ = true;
  }
  fs::create_directory(dir_.File("run"));
  fs::create_directory(dir_.File("data"));
  GiveAway(dir_.File("run"));
  GiveAway(dir_.File("data"));
  const std::string password = dir_.WriteFile("password", kPassword);
  if (RunCommand({Program("initdb"), "--auth=scram-sha-256", "--pwfile=" + password,
                  "--username=" + std::string(kAdmin), "--encoding=UTF8", "--locale=C", "--no-sync",
                  "--pgdata=" + dir_.File("data")},
                 {}, log, kNobody) != 0) {
    throw std::runtime_error("initdb failed: " + ReadFile(log));
  }
  Start();
  Sql("postgres", std::string("CREATE ROLE ") + kUser + " LOGIN PASSWORD '" + kPassword + "'");
  if (with_vector_) Sql("template1", "CREATE EXTENSION vector");
}

void PostgresServer::GiveAway(const std::string& path) const {
  if (geteuid() == 0 && chown(path.c_str(), kNobody, kNobody) != 0) {
    throw std::runtime_error("cannot give away " + path);
  }
}

PostgresServer::~PostgresServer() {
  Resume();
  if (process_ != nullptr) process_->Stop(SIGQUIT);  // its children end with it
}

void PostgresServer::Start() {
  std::vector<std::string> argv = {Program("postgres"), "-D", dir_.File("data"), "-p",
                                   std::to_string(port_)};
  std::vector<std::string> settings = {"listen_addresses=127.0.0.1",
                                       "unix_socket_directories=" + dir_.File("run"),
                                       "shared_buffers=64MB"};
  if (!options_.durable) settings.push_back("fsync=off");
  if (!options_.key.empty()) {
    const std::string key = dir_.WriteFile("server.key", options_.key);
    fs::permissions(key, fs::perms(0600));
    GiveAway(key);
    settings.insert(settings.end(),
                    {"ssl=on", "ssl_key_file=" + key,
                     "ssl_cert_file=" + dir_.WriteFile("server.crt", options_.certificate)});
  }
  for (const std::string& setting : settings) argv.insert(argv.end(), {"-c", setting});
  process_ = std::make_unique<ServerProcess>(argv, std::map<std::string, std::string>(),
                                             dir_.File("server.log"), kNobody);
  const bool ready = process_->WaitUntil([&] {
    return RunCommand({Program("psql"), Location("postgres", kAdmin), "-c", "SELECT 1"},
                      {{"PGPASSWORD", kPassword}}, "/dev/null") == 0;
  });
  if (!ready) throw std::runtime_error("PostgreSQL does not start: " + process_->Log());
}

void PostgresServer::Stop(int signal) {
  process_->Stop(signal);
  process_.reset();
}

std::string PostgresServer::CreateDatabase(bool with_vector) {
  const std::string name = "memory" + std::to_string(++n_databases_);
  Sql("postgres", "CREATE DATABASE " + name + " OWNER " + kUser + " TEMPLATE " +
                      (with_vector ? "template1" : "template0"));
  return name;
}

std::string PostgresServer::Location(const std::string& database, const std::string& user) const {
  return "postgresql://" + user + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string PostgresServer::SocketLocation(const std::string& database) const {
  return "postgresql:///" + database + "?host=" + dir_.File("run") + "&user=" + kUser +
         "&port=" + std::to_string(port_);
}

std::string PostgresServer::Sql(const std::string& database, const std::string& sql) const {
  const TempDir output;  // tests may ask from several threads
  const std::string log = output.File("psql.log");
  const int code = RunCommand({Program("psql"), Location(database, kAdmin), "-X", "-q", "-A", "-t",
                               "-v", "ON_ERROR_STOP=1", "-c", sql},
                              {{"PGPASSWORD", kPassword}}, log);
  if (code != 0) throw std::runtime_error(sql + ": " + ReadFile(log));
  return ReadFile(log);
}

std::vector<int> PostgresServer::Processes() const {
  std::vector<int> pids;
  std::ifstream file(dir_.File("data/postmaster.pid"));
  int first = 0;
  if (!(file >> first)) return pids;
  pids.push_back(first);
  const std::string task = "/proc/" + std::to_string(first) + "/task/" + std::to_string(first);
  std::ifstream children(task + "/children");
  for (int pid = 0; children >> pid;) pids.push_back(pid);
  return pids;
}

void PostgresServer::Pause() {
  process_->Signal(SIGSTOP);  // first: it makes no more children
  for (const int pid : Processes()) kill(pid, SIGSTOP);
}

void PostgresServer::Resume() {
  if (process_ == nullptr) return;
  for (const int pid : Processes()) kill(pid, SIGCONT);
}

}  // namespace anabranch::testing
