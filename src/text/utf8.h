// UTF-8 read piece by piece, well formed or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace anabranch {

enum class Utf8Kind : uint8_t {
  kCharacter,  // a well-formed character
  kIllFormed,  // a maximal ill-formed part (Unicode 3.9, "substitution of maximal subparts")
  kTruncated,  // the bytes end within what may still become a character
};

struct Utf8Part {
  Utf8Kind kind;
  size_t size;  // bytes, 1 to 4
};

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// True of a byte that is not the first of a character.
constexpr bool ContinuesCharacter(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// What `bytes` (not empty) begins with.
Utf8Part NextUtf8(std::string_view bytes);

}  // namespace anabranch
