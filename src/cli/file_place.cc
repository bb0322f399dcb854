#include "cli/file_place.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include "cli/input.h"

namespace anabranch::cli {

Result<std::string> HashFile(const std::string& path,
                             const std::function<Result<void>(std::string_view)>& see) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::string();
  Result<Input> input = OpenInput(path, "", nullptr);
  if (!input) return tl::unexpected(input.error());
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  XXH3_64bits_reset(state.get());
  std::vector<char> buffer(size_t{1} << 16);
  while (true) {
    Result<size_t> n = input->read(buffer);
    if (!n) return tl::unexpected(n.error());
    if (*n == 0) return fmt::format("xxh3:{:016x}", XXH3_64bits_digest(state.get()));
    XXH3_64bits_update(state.get(), buffer.data(), *n);
    if (!see) continue;
    if (Result<void> seen = see({buffer.data(), *n}); !seen) return tl::unexpected(seen.error());
  }
}

std::string SourceOf(const std::string& file, int64_t turn) {
  return fmt::format("{} turn {}", file, turn);
}

std::optional<FilePlace> ParsePlace(const std::string& source) {
  FilePlace place;
  std::array<char, 17> hash = {};
  int size = 0;
  const int n = std::sscanf(source.c_str(), "xxh3:%16[0-9a-f] turn %" SCNd64 " byte %" SCNd64 "%n",
                            hash.data(), &place.turn, &place.byte, &size);
  if (n != 3 || static_cast<size_t>(size) != source.size() || place.turn < 0 || place.byte < 0) {
    return std::nullopt;
  }
  place.file = std::string("xxh3:") + hash.data();
  return place;
}

}  // namespace anabranch::cli
