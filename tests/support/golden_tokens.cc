#include "support/golden_tokens.h"

#include <cstddef>
#include <fstream>

namespace anabranch::testing {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string Unescaped(std::string_view line) {
  std::string bytes;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      bytes += line[i];
    } else if (line[++i] == 'x') {
      bytes += static_cast<char>(std::stoi(std::string(line.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      bytes += line[i] == 'n' ? '\n' : line[i];
    }
  }
  return bytes;
}

std::vector<int32_t> Ids(std::string_view line) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i + 2 < line.size(); i += 3) {
    int32_t id = 0;
    for (const char digit : line.substr(i, 3)) {
      id = id << 6 | static_cast<int32_t>(kDigits.find(digit));
    }
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

std::vector<std::string> ReadGoldenStrings(const std::string& folder) {
  std::vector<std::string> strings;
  std::ifstream file(folder + "/strings.txt");
  for (std::string line; std::getline(file, line);) strings.push_back(Unescaped(line));
  return strings;
}

TokenRows ReadGoldenIds(const std::string& folder, std::string_view name, const TokenRows& base) {
  TokenRows rows;
  std::ifstream file(folder + "/" + std::string(name) + ".ids");
  for (std::string line; std::getline(file, line);) {
    if (line[0] != '=') {
      rows.push_back(Ids(line));
      continue;
    }
    for (int n = std::stoi(line.substr(1)); n > 0; --n) rows.push_back(base.at(rows.size()));
  }
  return rows;
}

std::string Escaped(std::string_view bytes) {
  std::string line;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 32 && byte < 127 && c != '\\') {
      line += c;
    } else {
      line += "\\x";
      line += "0123456789ABCDEF"[byte >> 4];
      line += "0123456789ABCDEF"[byte & 15];
    }
  }
  return line;
}

}  // namespace anabranch::testing
