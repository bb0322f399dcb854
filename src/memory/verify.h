// Verify: every claim that docs/formats.md makes of a memory file, checked. Nothing is written.
#pragma once

#include <string>

#include "memory/memory.h"
#include "memory/sqlite_db.h"

namespace anabranch {

// With `count_pieces` the units must be those that the cutter derives from the journal; without it
// (empty), what can be told without the embedder's vocabulary is checked.
VerifyReport VerifyDatabase(Database* db, const CountPieces& count_pieces);

// The same of a file that is not opened for writing: nothing in its folder changes, which may be on
// a read-only file system, and another process may write to the file meanwhile. Of `embedder`, only
// fingerprint and count_pieces are used; they may be empty.
// Errors: no memory, another format, another embedder than the file's.
Result<VerifyReport> VerifyFile(const std::string& path, const EmbedderHandle& embedder);

}  // namespace anabranch
