// What people say without asking for anything that a memory could hold, and what they say when they
// ask for it: a turn is small talk if it is like the one and less like the other.
#pragma once

#include <span>
#include <string_view>

namespace anabranch {

// Wordings of both kinds, beside the null queries. Chosen before any store was looked at; a change
// of these lists changes no stored score.
std::span<const std::string_view> SmallTalk();
std::span<const std::string_view> Asking();

}  // namespace anabranch
