// What forgetting leaves for later, and what others must know of it: noted in the file.
//
// Deleted rows are overwritten at once (secure_delete), but the pages that had them wait in the
// write-ahead log until no reader of the file needs them.
#pragma once

#include <chrono>
#include <cstdint>

#include "memory/sqlite_db.h"

namespace anabranch {

// Notes that the log holds what was forgotten. Call within the transaction that forgets.
Result<void> MarkForErasure(Database* db);
// Empties the log if that was noted; waits at most `patience` for readers. False: they are still
// there, and so is what was forgotten.
Result<bool> FinishErasure(Database* db, std::chrono::milliseconds patience);

// How often units or their vectors were removed from the file: whoever has some in RAM reads them
// again when it changes.
Result<uint64_t> Removals(Database* db);
// Call within the transaction that removes them.
Result<void> NoteRemoval(Database* db);

}  // namespace anabranch
