#include "text/utf8_stream.h"

#include <utility>

#include "text/utf8.h"

namespace anabranch {

std::string Utf8Stream::Push(std::string_view bytes) {
  pending_ += bytes;
  const std::string_view rest = pending_;
  std::string characters;
  characters.reserve(rest.size());
  size_t pos = 0;
  while (pos < rest.size()) {
    const Utf8Part part = NextUtf8(rest.substr(pos));
    if (part.kind == Utf8Kind::kTruncated) break;
    characters +=
        part.kind == Utf8Kind::kCharacter ? rest.substr(pos, part.size) : kReplacementCharacter;
    pos += part.size;
  }
  pending_.erase(0, pos);
  return characters;
}

std::string Utf8Stream::Flush() {
  // What is pending is one truncated character: one maximal ill-formed part.
  const bool truncated = !std::exchange(pending_, {}).empty();
  return std::string(truncated ? kReplacementCharacter : std::string_view());
}

bool IsValidUtf8(std::string_view bytes) {
  for (size_t pos = 0; pos < bytes.size();) {
    const Utf8Part part = NextUtf8(bytes.substr(pos));
    if (part.kind != Utf8Kind::kCharacter) return false;
    pos += part.size;
  }
  return true;
}

}  // namespace anabranch
