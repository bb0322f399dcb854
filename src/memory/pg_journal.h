// The journal of a stream in PostgreSQL.
//
// All functions run within a transaction and throw what libpqxx throws (PgConnection::Run).
#pragma once

#include <pqxx/pqxx>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/journal_store.h"
#include "memory/pg_schema.h"

namespace anabranch {

// RemoteStore::ReplaceRecords. Errors: kInvalid: a record that breaks its format, is not in order
// or lies outside of the span; kLimit: more than one statement can hold.
Result<void> ReplacePgRecords(pqxx::transaction_base* db, const PgStream& stream, StreamSpan span,
                              std::span<const StoredRecord> records);
// The first `limit` records that end behind `from` and begin behind `last`. Error kCorrupt: one
// that breaks its format.
Result<std::vector<StoredRecord>> PgRecords(pqxx::transaction_base* db, const PgStream& stream,
                                            StreamPos from, StreamPos last, int limit);

}  // namespace anabranch
