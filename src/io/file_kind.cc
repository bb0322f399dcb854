#include "io/file_kind.h"

#include <fmt/format.h>

#include <algorithm>

namespace anabranch {
namespace {

constexpr std::string_view kConvert =
    "convert the model with llama.cpp's convert_hf_to_gguf.py, or get its GGUF file";

struct Signature {
  size_t offset;
  std::string_view magic;
  std::string_view kind, remedy;
};

// A safetensors file begins with a length of 8 bytes and a JSON object.
constexpr Signature kSignatures[] = {
    {0, "GGUF", "a GGUF file", "give it where a language model is wanted"},
    {8, "{\"", "a safetensors file", kConvert},
    {0, "PK\x03\x04", "a zip archive, as PyTorch checkpoints are", kConvert},
    {0, "tjgg", "a GGML file from before GGUF", kConvert},
    {0, "fmgg", "a GGML file from before GGUF", kConvert},
    {0, "lmgg", "a GGML file from before GGUF", kConvert},
    {0, "version https://git-lfs", "a Git LFS pointer, not the file itself",
     "fetch it with 'git lfs pull'"},
    {0, "<!DOCTYPE", "a web page", "download the file itself"},
    {0, "<html", "a web page", "download the file itself"},
};

}  // namespace

Failure WrongFileKind(const std::string& path, std::string_view expected,
                      std::span<const std::byte> bytes) {
  constexpr size_t kHead = 32;  // longer than any signature
  std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kHead));
  for (const Signature& s : kSignatures) {
    if (head.size() >= s.offset && head.substr(s.offset).starts_with(s.magic)) {
      return Fail(ErrorKind::kInvalid, path,
                  fmt::format("is no {} file; it looks like {}", expected, s.kind),
                  std::string(s.remedy));
    }
  }
  return Fail(
      ErrorKind::kInvalid, path,
      fmt::format("is no {} file: it begins with {}", expected, QuoteName(head.substr(0, 4))),
      "check the path, or get the file again");
}

std::string QuoteName(std::string_view name) {
  constexpr size_t kMaxShown = 64;
  std::string quoted = "'";
  for (char c : name.substr(0, kMaxShown)) quoted += c >= ' ' && c <= '~' ? c : '?';
  quoted += name.size() > kMaxShown ? "…'" : "'";
  return quoted;
}

}  // namespace anabranch
