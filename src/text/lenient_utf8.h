// How llama.cpp reads bytes that are not UTF-8, for token ids equal to its own.
#pragma once

#include <string>
#include <string_view>

namespace anabranch {

// The characters of any bytes, as UTF-8. Forms of two to four bytes are read without regard to
// their value: an overlong form becomes its character, an encoded surrogate stays as it is. A byte
// that belongs to no such form is read as U+FFFD, and so is each byte of a form beyond U+10FFFF
// (where llama.cpp gives up).
std::string ReadLeniently(std::string_view bytes);

}  // namespace anabranch
