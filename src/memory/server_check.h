// What recall will meet at a server: a few units that it was sent are read back and searched for.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/journal_store.h"
#include "memory/memory.h"
#include "memory/server.h"
#include "memory/unit.h"

namespace anabranch {

// Faults of some of the units `sent`, which are in the order in which they were sent: the server
// does not have the vector that the unit's text has (with an embedder that embeds), or finds few of
// them by their own vectors. Its ids may be there, and all else damaged. Errors: a call failed.
Result<std::vector<std::string>> FaultsAtServer(Server* server, const RemoteStreamInfo& stream,
                                                const JournalStore& journal,
                                                std::span<const UnitRow> sent,
                                                const EmbedderHandle& embedder);

}  // namespace anabranch
