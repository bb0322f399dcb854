// The store's file: one SQLite database with journal and index. docs/formats.md describes it.
#pragma once

#include "memory/sqlite_db.h"

namespace anabranch {

inline constexpr int64_t kApplicationId = 0x414e4252;  // "ANBR"
inline constexpr int64_t kSchemaVersion = 3;

// Opens `path`, or creates it, and brings an older schema forward. Errors: a file that is no memory
// (kCorrupt), another program's database (kInvalid), a newer schema (kUnsupported); none of these
// is written to.
Result<std::unique_ptr<Database>> OpenStore(const std::string& path, const std::string& name);

// Opens `path` for reading alone (Database::OpenToRead). Errors: as OpenStore's; an older schema is
// not brought forward but refused (kUnsupported).
Result<std::unique_ptr<Database>> OpenStoreToRead(const std::string& path, const std::string& name);

// Key of how often an index was put in another one's place (memory/reindex.h).
inline constexpr std::string_view kGenerationKey = "generation";

// A value that the store keeps about itself. "": never set.
Result<std::string> ReadMeta(Database* db, std::string_view key);
Result<void> WriteMeta(Database* db, std::string_view key, std::string_view value);

}  // namespace anabranch
