// The streams of a store: which there are, and what each holds.
#pragma once

#include <string>
#include <vector>

#include "anabranch/memory.h"
#include "memory/sqlite_db.h"

namespace anabranch {

struct StreamRow {
  int64_t id = 0;
  std::string name, tokenizer;
};

// What a stream's turns are written with is recorded as TOKENIZER+TEMPLATE, two fingerprints;
// streams of older programs have the first alone. True if `ours` says the same as `recorded`, or
// the same and more.
bool Continues(const std::string& recorded, const std::string& ours);

// Those named so; "": all, by name. Error kNotFound names those there are.
Result<std::vector<StreamRow>> ListStreams(Database* db, const std::string& name);

Result<MemoryStreamInfo> DescribeStream(Database* db, const StreamRow& stream);

}  // namespace anabranch
