// Bytes as PostgreSQL's type text takes them.
#pragma once

#include <string>
#include <string_view>

namespace anabranch {

// Any bytes as UTF-8 without U+0000, for SQL users to read and search: what text cannot hold is
// U+FFFD.
std::string PgText(std::string_view bytes);

}  // namespace anabranch
