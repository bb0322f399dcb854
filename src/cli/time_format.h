// Points in time as ISO 8601 text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anabranch::cli {

// Unix time in ms of "2024-05-01", "2024-05-01T12:30", "2024-05-01 12:30:05.250+02:00" and the
// like; without a zone it is UTC. Empty: it is no such text, or no such day.
std::optional<int64_t> ParseTime(std::string_view text);

// "2024-05-01T10:30:05Z", with milliseconds when they are not zero.
std::string FormatTime(int64_t time_ms);

}  // namespace anabranch::cli
