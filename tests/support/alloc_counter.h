// Counts what a test program allocates: linking this replaces the global operator new.
#pragma once

#include <cstdint>

namespace anabranch::testing {

struct AllocCounter {
  // Calls of any operator new so far, by all threads. (malloc called directly is not counted.)
  static int64_t Count();
};

}  // namespace anabranch::testing
