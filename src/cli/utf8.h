// Text that is not quite UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "anabranch/result.h"

namespace anabranch::cli {

struct RepairedUtf8 {
  int64_t count = 0;  // of replacements
  size_t first = 0;   // offset of the first one in the original text
};

// Replaces what is not well-formed UTF-8 (Unicode 15, table 3-7) by U+FFFD, one for each maximal
// part of a character.
RepairedUtf8 RepairUtf8(std::string* text);

// Error: a file that begins so is UTF-16.
Result<void> CheckNotUtf16(std::string_view head, const std::string& name);

}  // namespace anabranch::cli
