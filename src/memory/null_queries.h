// Questions and small talk that have nothing to do with any store: what they score is what chance
// scores there.
#pragma once

#include <span>
#include <string_view>

namespace anabranch {

struct NullQuery {
  std::string_view text;
  bool small_talk = false;  // it asks for nothing that a memory could hold
};

std::span<const NullQuery> NullQueries();

}  // namespace anabranch
