// A new index for streams of a memory: for another embedder, another version of the cutter, or
// because what is there is damaged, here or on the server.
#pragma once

#include <string>

#include "memory/memory.h"

namespace anabranch {

// Builds it from the journal beside the old one, which recall uses until it is finished, puts it in
// the old one's place in one transaction, and brings it to the server, whose old units are dropped.
// What was built before an error, or the end of the process, is gone on with by the next call with
// the same embedder. `stream`: the only one to rebuild, "": all.
// Errors: kInvalid: one stream alone cannot have another embedder or cutter than the others; kBusy:
// a stream is being written: only the last step waits for that, and is all that is left to do then.
Result<StreamsReport> Reindex(const std::string& location, EmbedderHandle embedder,
                              const MemoryOptions& options, const std::string& stream,
                              const StepFn& on_step);

}  // namespace anabranch
