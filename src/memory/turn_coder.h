// Turns as journal records, for text that comes into a stream without passing through the model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "memory/journal.h"

namespace anabranch {

// Writes the turns of one stream, in order.
class TurnCoder {
 public:
  virtual ~TurnCoder() = default;
  // Of tokenizer and template (Memory::OpenStream).
  virtual const std::string& fingerprint() const = 0;
  // The next turn, whole: template, text, template. Positions count from 0; turn, time and source
  // are the caller's.
  virtual std::vector<JournalRecord> Encode(Role role, std::string_view text) = 0;
};

}  // namespace anabranch
