// Which place of one spelling of a text is which place of another.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace anabranch {

// For each offset into `from` (0 to from.size(), both included) the offset into `to`; not
// decreasing, ends with to.size(). Equal characters go together; a run of U+FFFD or of bytes that
// are not UTF-8 goes with any other such run; around what differs, the nearest place at which both
// spellings agree again is looked for, a few characters on.
std::vector<uint32_t> AlignBytes(std::string_view from, std::string_view to);

}  // namespace anabranch
