#include "cli/utf8.h"

#include <string_view>

namespace anabranch::cli {
namespace {

struct Sequence {
  size_t size = 1;  // bytes of the character, or of what is left of one
  bool valid = false;
};

Sequence ReadSequence(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {.size = 1, .valid = true};
  const size_t wanted = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  size_t size = 1;
  for (; size < wanted && size < text.size(); ++size) {
    const auto byte = static_cast<unsigned char>(text[size]);
    unsigned char low = 0x80, high = 0xBF;
    if (size == 1) {  // no overlong forms, no surrogates, nothing above U+10FFFF
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    }
    if (byte < low || byte > high) break;
  }
  return {.size = size, .valid = size == wanted};
}

}  // namespace

RepairedUtf8 RepairUtf8(std::string* text) {
  RepairedUtf8 repaired;
  std::string fixed;
  size_t copied = 0;
  for (size_t at = 0; at < text->size();) {
    const Sequence sequence = ReadSequence(std::string_view(*text).substr(at));
    if (!sequence.valid) {
      if (repaired.count++ == 0) repaired.first = at;
      fixed.append(*text, copied, at - copied).append("\xEF\xBF\xBD");
      copied = at + sequence.size;
    }
    at += sequence.size;
  }
  if (repaired.count > 0) *text = fixed.append(*text, copied);
  return repaired;
}

Result<void> CheckNotUtf16(std::string_view head, const std::string& name) {
  if (!head.starts_with("\xFF\xFE") && !head.starts_with("\xFE\xFF")) return {};
  return Fail(ErrorKind::kUnsupported, name, "is UTF-16 text",
              "convert it: iconv -f UTF-16 -t UTF-8");
}

}  // namespace anabranch::cli
