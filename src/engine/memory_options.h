// What an engine's options say of its memory.
#pragma once

#include "anabranch/engine.h"
#include "memory/memory.h"

namespace anabranch {

inline MemoryOptions ToMemoryOptions(const EngineOptions& options) {
  return {.journal = options.journal,
          .password = options.memory_password,
          .recall_timeout = std::chrono::milliseconds(options.recall_timeout_ms)};
}

}  // namespace anabranch
