#include "text/lenient_utf8.h"

#include <cstddef>
#include <cstdint>

#include "text/utf8.h"

namespace anabranch {
namespace {

struct Form {
  size_t size;
  uint32_t code;
};

// The multi-byte form at the start of `bytes`; size 0: there is none.
Form ReadForm(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes[0]);
  const size_t size = lead < 0x80   ? 1
                      : lead < 0xC0 ? 0
                      : lead < 0xE0 ? 2
                      : lead < 0xF0 ? 3
                      : lead < 0xF8 ? 4
                                    : 0;
  if (size == 0 || size > bytes.size()) return {0, 0};
  uint32_t code = size == 1 ? lead : lead & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    if ((byte & 0xC0) != 0x80) return {0, 0};
    code = code << 6 | (byte & 0x3Fu);
  }
  if (code > 0x10FFFF) return {0, 0};
  return {size, code};
}

void Append(uint32_t code, std::string* text) {
  const auto push = [&](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | code >> 6);
    push(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    push(0xE0 | code >> 12);
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  } else {
    push(0xF0 | code >> 18);
    push(0x80 | (code >> 12 & 0x3F));
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  }
}

}  // namespace

std::string ReadLeniently(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Form form = ReadForm(bytes);
    if (form.size == 0) {
      text += kReplacementCharacter;
      bytes.remove_prefix(1);
    } else {
      Append(form.code, &text);
      bytes.remove_prefix(form.size);
    }
  }
  return text;
}

}  // namespace anabranch
