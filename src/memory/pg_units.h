// Units of a stream in PostgreSQL: writing and reading them by id.
//
// All functions run within a transaction and throw what libpqxx throws (PgConnection::Run).
#pragma once

#include <pqxx/pqxx>
#include <span>
#include <vector>

#include "base/result.h"
#include "memory/pg_schema.h"
#include "memory/remote_store.h"

namespace anabranch {

// vector_type: pgvector's number of its type, which differs between databases. Errors: kInvalid: a
// vector of another width; kLimit: more than one statement can hold.
Result<void> UpsertPgUnits(pqxx::transaction_base* db, const PgStream& stream, uint32_t vector_type,
                           std::span<const RemoteUnit> units);
void ErasePgUnits(pqxx::transaction_base* db, const PgStream& stream, std::span<const UnitId> ids);
// Error kCorrupt: a vector that is not the stream's.
Result<std::vector<RemoteVector>> PgUnitVectors(pqxx::transaction_base* db, const PgStream& stream,
                                                std::span<const UnitId> ids);
// Sorted.
std::vector<UnitId> PgUnitIds(pqxx::transaction_base* db, const PgStream& stream);

// An id as the server's bigint: the same bits.
inline int64_t PgId(UnitId id) { return static_cast<int64_t>(id.value()); }
inline UnitId UnitIdOf(const pqxx::field& field) {
  return UnitId(static_cast<uint64_t>(field.as<int64_t>()));
}

}  // namespace anabranch
