// Bytes that arrive token by token, given out in whole characters.
#pragma once

#include <string>
#include <string_view>

namespace anabranch {

class Utf8Stream {
 public:
  // Whole characters that are complete now. Bytes that can never become a character are given out
  // as U+FFFD, one per maximal ill-formed part (Unicode 3.9, as ICU and browsers do).
  std::string Push(std::string_view bytes);
  // The rest, at the end of the stream.
  std::string Flush();

 private:
  std::string pending_;
};

// True if all bytes are well-formed UTF-8.
bool IsValidUtf8(std::string_view bytes);

}  // namespace anabranch
