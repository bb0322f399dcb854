// Where a PostgreSQL database is, as libpq takes it, and what stands for it in messages.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "memory/remote_store.h"

namespace anabranch {

struct PgLocation {
  std::string name;  // of the database, without secrets
  std::string password;
  std::chrono::milliseconds timeout{};                       // of one call
  std::vector<std::pair<std::string, std::string>> options;  // libpq's, the password included
};

// location: postgresql://USER@HOST:PORT/DB[?...] or postgresql:///DB?host=/socket/dir&user=USER.
// Errors (kInvalid) do not repeat it: it may hold a secret.
Result<PgLocation> ParsePgLocation(const std::string& location, const RemoteOptions& options);

}  // namespace anabranch
