// GPT-2's spelling of bytes as printable characters, in which byte-level vocabularies are written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anabranch {

// The character (UTF-8) that stands for a byte: itself where it is printable in Latin-1, else one
// of the 68 from U+0100 on, in order.
std::string_view ByteSpelling(uint8_t byte);

// The bytes that a token is spelled as; nullopt if it has a character that stands for none.
std::optional<std::string> BytesOfSpelling(std::string_view spelling);

}  // namespace anabranch
