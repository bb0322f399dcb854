// What a file is when it is not what was expected, and how names from it are shown to people.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anabranch {

// The failure of a file that does not begin as `expected` ("GGUF", "safetensors") must: says what
// it looks like instead (safetensors, a Git LFS pointer, a web page, …) and what to do.
Failure WrongFileKind(const std::string& path, std::string_view expected,
                      std::span<const std::byte> bytes);

// 'name', at most 64 bytes of it, with all but printable ASCII replaced by '?': a hostile file
// must not reach a terminal or a JSON writer through an error message.
std::string QuoteName(std::string_view name);

}  // namespace anabranch
