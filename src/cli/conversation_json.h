// Turns from JSON that nobody has checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/result.h"
#include "cli/conversation.h"

namespace anabranch::cli {

// Where the JSON stands, for messages.
struct JsonPlace {
  std::string file;
  bool is_list = false;  // else one object, on a line of its own
  int64_t line = 1;      // of its first byte
};

// The turns of a list of records, or of one record. A record is {"role", "content"[, "time"]}, with
// role system, user or assistant and an ISO 8601 time, or MT-bench's {"turns": [...]}, user turns.
// Other keys are ignored.
// Errors: kCorrupt with the line, for what is not JSON (invalid UTF-8 included); kInvalid with the
// record, for a record that is not as above, holds a NUL or is nested too deeply.
Result<std::vector<Turn>> ParseTurns(std::string_view json, const JsonPlace& place);

}  // namespace anabranch::cli
