// Reads an export into a memory: stream by stream, each whole or not at all.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/memory.h"
#include "memory/sqlite_db.h"
#include "memory/stream_lock.h"

namespace anabranch {

// Takes a stream for its only writer. Error: it may not be made here.
using ClaimFn = std::function<Result<StreamLock>(const std::string& stream)>;

struct ImportedStream {
  std::string name, tokenizer;
};

// The journals alone: nothing is indexed. Errors name the line. kCorrupt: the export is damaged or
// incomplete; kInvalid: a stream that has records already; kUnsupported: a newer version. Streams
// that were whole before the error stay.
Result<std::vector<ImportedStream>> ImportStreams(Database* db, const LineSource& next,
                                                  const ImportPlan& plan, const ClaimFn& claim);

}  // namespace anabranch
