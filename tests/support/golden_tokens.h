// The tokenizer golden set of tests/golden/text; tools/golden/tokenizer.py made it and describes
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch::testing {

using TokenRows = std::vector<std::vector<int32_t>>;

// strings.txt in `folder`.
std::vector<std::string> ReadGoldenStrings(const std::string& folder);
// The ids in NAME.ids of the first strings, as many as the file has.
TokenRows ReadGoldenIds(const std::string& folder, std::string_view name,
                        const TokenRows& base = {});

// The string as strings.txt writes it, for messages.
std::string Escaped(std::string_view bytes);

}  // namespace anabranch::testing
