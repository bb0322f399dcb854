// What a stream that memory knows goes on from: its journal, read by its end and its beginning.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "memory/memory.h"
#include "stream/turn_tokens.h"

namespace anabranch {

// Ends the last turn with what is missing of its footer, if the process that wrote it did not: the
// context that is read from the journal is well-formed. Durable when it returns.
Result<void> CloseOpenTurn(const TurnEncoder& encoder, int64_t time_ms, StreamMemory* memory);

// Where a stream begins that can be read again.
struct JournalledStart {
  bool empty = true;   // there is nothing left of it: all was forgotten or lost
  StreamPos first;     // of its pinned part, in which nothing is missing
  std::string system;  // its system prompt, if it begins with one
};
// `n_pinned` gives the size of the pinned part of a stream that begins with a system prompt ("":
// with none); none is larger than n_ctx.
Result<JournalledStart> FindStart(const StreamMemory& memory, int64_t n_ctx,
                                  const std::function<int64_t(const std::string&)>& n_pinned);

// The journalled tokens that end a span.
struct JournalledTokens {
  StreamPos begin;           // of `ids`: behind the last text of the span that is missing
  std::vector<TokenId> ids;  // up to the span's end
  Role last_role = Role::kUser;
  std::string last_user_turn;  // what of it lies in the span; a document's turn is none
};
Result<JournalledTokens> ReadTokensOf(const StreamMemory& memory, StreamSpan span);

}  // namespace anabranch
