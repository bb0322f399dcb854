// Bytes as text that JSON can carry: base64 (RFC 4648, section 4), with padding and without breaks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace anabranch {

std::string Base64Encode(std::string_view bytes);
// nullopt: not what Base64Encode writes.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace anabranch
