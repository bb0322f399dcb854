// Whether what was derived from a stream's units is what would be derived now.
#pragma once

#include <string>
#include <vector>

#include "memory/sqlite_db.h"

namespace anabranch {

// What is wrong with the codes and word counts of a stream; empty: nothing.
Result<std::vector<std::string>> IndexFaults(Database* db, int64_t stream);

}  // namespace anabranch
