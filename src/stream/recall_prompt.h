// How recalled passages are put to the model. The wording lives here alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "anabranch/memory.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace anabranch {

// A turn of its own in the chat format, by the system where the format knows one:
//
//   From "notes":
//   [user] … passage of another stream than `stream` …
//   Earlier in this conversation:
//   [user, 3,412 tokens ago] … passage …
//
// Passages are encoded as plain text, never parsed for special tokens. `now` is the position that
// ages are counted from. Passages with the lowest score are dropped from `passages` until the turn
// takes at most max_tokens; empty when none is left.
std::vector<TokenId> RenderRecalled(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                    const std::string& stream, StreamPos now, int64_t max_tokens,
                                    std::vector<Passage>* passages);

}  // namespace anabranch
