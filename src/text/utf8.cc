#include "text/utf8.h"

#include "base/check.h"

namespace anabranch {
namespace {

// What may follow a lead byte (Unicode, table 3-7): only the second byte's range depends on it.
struct Lead {
  size_t size;  // of the character; 0: no character begins so
  uint8_t second_min, second_max;
};

constexpr Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};  // shorter forms exist below
  if (byte == 0xED) return {3, 0x80, 0x9F};  // surrogates above
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};  // beyond U+10FFFF
  return {0, 0, 0};
}

}  // namespace

Utf8Part NextUtf8(std::string_view bytes) {
  ANABRANCH_DCHECK(!bytes.empty());
  const Lead lead = LeadOf(static_cast<uint8_t>(bytes[0]));
  if (lead.size == 0) return {Utf8Kind::kIllFormed, 1};
  for (size_t i = 1; i < lead.size; ++i) {
    if (i == bytes.size()) return {Utf8Kind::kTruncated, i};
    const auto byte = static_cast<uint8_t>(bytes[i]);
    const uint8_t min = i == 1 ? lead.second_min : uint8_t{0x80};
    const uint8_t max = i == 1 ? lead.second_max : uint8_t{0xBF};
    if (byte < min || byte > max) return {Utf8Kind::kIllFormed, i};
  }
  return {Utf8Kind::kCharacter, lead.size};
}

}  // namespace anabranch
