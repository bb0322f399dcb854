// Damages files, for tests of parsers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace anabranch::testing {

// `file` with one to eight random changes: bytes set, bits flipped, parts removed, doubled, or
// moved. Same seed: same changes.
std::string Mutated(std::string file, uint32_t seed);

// Calls `use` with `file` changed by one value that is a limit of some integer type (0, 1, 2^31,
// 2^63 - 1, …), written over 4 and over 8 bytes at each place of the file in turn. Stops at the
// first fatal failure.
void ForEachBoundaryValue(const std::string& file,
                          const std::function<void(const std::string&)>& use);

}  // namespace anabranch::testing
