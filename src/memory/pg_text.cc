#include "memory/pg_text.h"

#include "text/utf8.h"

namespace anabranch {

std::string PgText(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Utf8Part part = NextUtf8(bytes);
    const bool holds = part.kind == Utf8Kind::kCharacter && bytes[0] != '\0';
    text += holds ? bytes.substr(0, part.size) : kReplacementCharacter;
    bytes.remove_prefix(part.size);
  }
  return text;
}

}  // namespace anabranch
