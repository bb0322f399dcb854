// The schema `anabranch` of a PostgreSQL database: its version, and its streams. docs/stores.md
// describes the tables.
//
// All functions run within a transaction and throw what libpqxx throws (PgConnection::Run).
#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/remote_store.h"

namespace anabranch {

inline constexpr int kPgSchemaVersion = 1;
inline constexpr int32_t kPgMaxWidth = 16000;  // of pgvector

struct PgStream {
  int64_t id = 0;
  RemoteStreamInfo info;
  std::string units() const { return "anabranch.unit_" + std::to_string(id); }  // its partition
};

// 64-bit keys of advisory locks. The first is held while tables are made or dropped.
int64_t PgSchemaLockKey();
int64_t PgStreamLockKey(const std::string& stream);

// Version of the schema; 0: there is none yet. `store` stands for the database in errors. Errors: a
// newer one (kUnsupported), another program's (kCorrupt).
Result<int> PgSchemaVersion(pqxx::transaction_base* db, const std::string& store);
// Creates it, or brings it up to date.
Result<void> UpgradePgSchema(pqxx::transaction_base* db, const std::string& store);

std::optional<PgStream> FindPgStream(pqxx::transaction_base* db, const std::string& name);
std::vector<PgStream> PgStreams(pqxx::transaction_base* db);
// Creates a stream that is not there, with its partition.
PgStream CreatePgStream(pqxx::transaction_base* db, const RemoteStreamInfo& info);
// Records what the stream is written with.
void UpdatePgStream(pqxx::transaction_base* db, const PgStream& stream,
                    const RemoteStreamInfo& info);
// The partition of a stream's units: of the width that `stream` says.
void CreatePgUnits(pqxx::transaction_base* db, const PgStream& stream);
void DropPgUnits(pqxx::transaction_base* db, const PgStream& stream);
void DropPgStream(pqxx::transaction_base* db, const PgStream& stream);

}  // namespace anabranch
