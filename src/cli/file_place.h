// How far a file has been read into a stream, as memory keeps it (Stream::SetSource).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "anabranch/result.h"

namespace anabranch::cli {

// Turns before `turn` were read, and of that one the first `byte` bytes.
struct FilePlace {
  std::string file;  // HashFile's; "": no file
  int64_t turn = 0, byte = 0;
};

// "xxh3:" and 16 hex digits, of the file's bytes. "" for what is not a regular file. `see` is shown
// the bytes on the way; its error ends the reading.
Result<std::string> HashFile(const std::string& path,
                             const std::function<Result<void>(std::string_view)>& see = {});

// The source of a turn for SetSource.
std::string SourceOf(const std::string& file, int64_t turn);
// The place that a source, with the byte that memory added, stands for; empty: it is none.
std::optional<FilePlace> ParsePlace(const std::string& source);

}  // namespace anabranch::cli
