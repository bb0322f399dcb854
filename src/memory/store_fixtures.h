// Every kind of memory for the same tests, on real servers: one of each for a test program.
#pragma once

#include <csignal>
#include <stdexcept>
#include <string>

#include "memory/memory.h"
#include "memory/memory_test_support.h"
#include "memory/reindex.h"
#include "support/chroma_server.h"
#include "support/postgres_server.h"

namespace anabranch {

enum class StoreKind : uint8_t { kSqlite, kPostgres, kChroma };

inline std::string StoreName(StoreKind kind) {
  return kind == StoreKind::kSqlite     ? "Sqlite"
         : kind == StoreKind::kPostgres ? "Postgres"
                                        : "Chroma";
}

inline testing::PostgresServer& Postgres() {
  static testing::PostgresServer server(ANABRANCH_SOURCE_DIR);
  return server;
}
inline testing::ChromaServer& Chroma() {
  static testing::ChromaServer server(ANABRANCH_SOURCE_DIR);
  static const bool started = server.Start();
  if (!started) throw std::runtime_error("Chroma did not start: " + server.Log());
  return server;
}

// A place for one test's memories: an empty database each, and files that go with it.
class StoreFixture {
 public:
  explicit StoreFixture(StoreKind kind) : kind_(kind) {
    if (kind == StoreKind::kPostgres) {
      location_ = Postgres().Location(Postgres().CreateDatabase());
    } else if (kind == StoreKind::kChroma) {
      static int n = 0;
      location_ = Chroma().location() + "/default_tenant/database" + std::to_string(++n);
    }
  }

  const std::string& location() const { return location_; }
  std::string JournalPath(const std::string& name) const { return dir_.File(name); }

  // The memory, through a journal of that name: SQLite's is the memory itself.
  Result<std::unique_ptr<Memory>> Open(const std::string& journal,
                                       EmbedderHandle embedder = FakeEmbedder(),
                                       MemoryOptions options = {}) {
    const std::string location = Place(journal, &options);
    return OpenMemory(location, std::move(embedder), options);
  }
  Result<StreamsReport> Reindex(const std::string& journal, const std::string& stream) {
    MemoryOptions options;
    const std::string location = Place(journal, &options);
    return anabranch::Reindex(location, FakeEmbedder(), options, stream, {});
  }

  void StopServer() {
    if (kind_ == StoreKind::kPostgres) Postgres().Stop(SIGINT);
    if (kind_ == StoreKind::kChroma) Chroma().Stop(SIGTERM);
  }
  void StartServer() {
    if (kind_ == StoreKind::kPostgres) Postgres().Start();
    if (kind_ == StoreKind::kChroma) Chroma().Start();
  }
  void PauseServer() {
    if (kind_ == StoreKind::kPostgres) Postgres().Pause();
    if (kind_ == StoreKind::kChroma) Chroma().Signal(SIGSTOP);
  }
  void ResumeServer() {
    if (kind_ == StoreKind::kPostgres) Postgres().Resume();
    if (kind_ == StoreKind::kChroma) Chroma().Signal(SIGCONT);
  }

 private:
  // Where the memory with that journal is; with what it takes to get there.
  std::string Place(const std::string& journal, MemoryOptions* options) const {
    if (kind_ == StoreKind::kSqlite) return dir_.File(journal);
    options->journal = dir_.File(journal);
    if (kind_ == StoreKind::kPostgres) options->password = testing::PostgresServer::kPassword;
    return location_;
  }

  StoreKind kind_;
  TempDir dir_;
  std::string location_;
};

}  // namespace anabranch
