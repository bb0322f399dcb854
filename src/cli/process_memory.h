// What this process takes of the machine's memory.
#pragma once

#include <cstdint>

namespace anabranch::cli {

int64_t ResidentBytes();      // now
int64_t PeakResidentBytes();  // the most so far

}  // namespace anabranch::cli
