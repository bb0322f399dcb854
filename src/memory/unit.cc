#include "memory/unit.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "text/cutter.h"

namespace anabranch {

UnitId MakeUnitId(std::string_view stream, int64_t text_begin, int64_t text_end) {
  constexpr std::string_view kNamespace = "anabranch";
  // The name comes last, so that no name can be mistaken for numbers.
  const std::string key =
      fmt::format("{}\n{}\n{}\n{}\n{}", kNamespace, kCutterVersion, text_begin, text_end, stream);
  return UnitId(XXH3_64bits(key.data(), key.size()));
}

}  // namespace anabranch
