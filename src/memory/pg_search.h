// The nearest units of a stream in PostgreSQL, and the index that finds them where there are many.
//
// All functions run within a transaction and throw what libpqxx throws (PgConnection::Run).
#pragma once

#include <pqxx/pqxx>
#include <span>
#include <string>
#include <vector>

#include "memory/pg_schema.h"
#include "memory/remote_store.h"

namespace anabranch {

// From this many vectors on a stream has an HNSW index; below, a scan is quick and exact.
inline constexpr int64_t kPgIndexFrom = 20000;
inline constexpr int32_t kPgMaxIndexedWidth = 2000;  // of pgvector's HNSW

// The settings of a session that searches: name, value.
std::vector<std::pair<std::string, std::string>> PgSearchSettings();

// Best first. The index returns its best first and applies the filter to them: where fewer than k
// are left, all units are scanned.
std::vector<RemoteHit> NearestPgUnits(pqxx::transaction_base* db, const PgStream& stream,
                                      std::span<const float> query, size_t k,
                                      const UnitFilter& filter);

struct PgIndexState {
  int64_t units = 0;  // kPgIndexFrom if there are more
  bool built = false;
};
PgIndexState LookAtPgIndex(pqxx::transaction_base* db, const PgStream& stream);
// Key of the advisory lock of whoever builds a stream's index.
int64_t PgIndexLockKey(const PgStream& stream);
// False: somebody builds it. Else this session may, with PgIndexStatement, outside of a
// transaction; what is left of a failed attempt has been removed.
bool PreparePgIndex(pqxx::transaction_base* db, const PgStream& stream);
std::string PgIndexStatement(const PgStream& stream);

}  // namespace anabranch
