// Verify: every claim that docs/formats.md makes of a memory file, checked. Nothing is written.
#pragma once

#include <string>

#include "memory/memory.h"
#include "memory/sqlite_db.h"

namespace anabranch {

// With the embedder's count_pieces the units must be those that the cutter derives from the
// journal, in the embedder's sizes; without it (empty), what can be told without its vocabulary is
// checked.
VerifyReport VerifyDatabase(Database* db, const EmbedderHandle& embedder);

// The same of a file that is not opened for writing: nothing in its folder changes, which may be on
// a read-only file system, and another process may write to the file meanwhile. Of `embedder`, only
// fingerprint, count_pieces and units are used; the first two may be empty.
// Errors: no memory, another format, another embedder than the file's.
Result<VerifyReport> VerifyFile(const std::string& path, const EmbedderHandle& embedder);

}  // namespace anabranch
