#include "text/byte_alphabet.h"

#include <array>
#include <unordered_map>

namespace anabranch {
namespace {

struct ByteAlphabet {
  std::array<std::string, 256> spellings;
  std::unordered_map<std::string_view, char> bytes;

  ByteAlphabet() {
    int next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable =
          (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte < 0x100 && byte != 0xAD);
      const int code = printable ? byte : next++;
      std::string& spelling = spellings[static_cast<size_t>(byte)];
      if (code >= 0x80) spelling.push_back(static_cast<char>(0xC0 | (code >> 6)));
      spelling.push_back(static_cast<char>(code < 0x80 ? code : 0x80 | (code & 0x3F)));
      bytes[spelling] = static_cast<char>(byte);
    }
  }
};

const ByteAlphabet& Alphabet() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

}  // namespace

std::string_view ByteSpelling(uint8_t byte) { return Alphabet().spellings[byte]; }

std::optional<std::string> BytesOfSpelling(std::string_view spelling) {
  std::string bytes;
  while (!spelling.empty()) {
    const size_t size = static_cast<unsigned char>(spelling[0]) < 0x80 ? 1 : 2;
    const auto found = Alphabet().bytes.find(spelling.substr(0, size));
    if (found == Alphabet().bytes.end()) return std::nullopt;
    bytes += found->second;
    spelling.remove_prefix(size);
  }
  return bytes;
}

}  // namespace anabranch
