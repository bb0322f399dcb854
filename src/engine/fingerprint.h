// Fingerprints of what vectors and token ids in a memory depend on: XXH3-64 as 16 hex digits.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace anabranch {

// Of several runs of bytes, one after the other; their lengths count.
std::string Fingerprint(std::span<const std::span<const std::byte>> parts);
// Of everything that decides which ids a text gets.
std::string TokenizerFingerprint(const TokenizerSpec& spec);
// Of what a stream's turns are written with (Memory::OpenStream): TOKENIZER+TEMPLATE.
std::string TurnsFingerprint(const std::string& tokenizer, const ChatTemplate& chat_template);

}  // namespace anabranch
