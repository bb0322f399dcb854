// The words of anabranch that cross every interface, as types that cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace anabranch {

// An integer with a name. Same cost as the integer; arithmetic only where it means something:
// a position plus a distance is a position, the difference of two positions is a distance.
template <typename Tag, typename Int>
class StrongInt {
 public:
  using ValueType = Int;
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Int value) : value_(value) {}
  constexpr Int value() const { return value_; }
  constexpr auto operator<=>(const StrongInt&) const = default;
  constexpr StrongInt operator+(Int distance) const { return StrongInt(value_ + distance); }
  constexpr StrongInt operator-(Int distance) const { return StrongInt(value_ - distance); }
  constexpr Int operator-(StrongInt other) const { return value_ - other.value_; }
  constexpr StrongInt& operator+=(Int distance) {
    value_ += distance;
    return *this;
  }
  constexpr StrongInt& operator++() {
    ++value_;
    return *this;
  }

 private:
  Int value_ = 0;
};

using StreamPos = StrongInt<struct StreamPosTag, int64_t>;  // a token's index in its stream
using TokenId = StrongInt<struct TokenIdTag, int32_t>;      // an index into a model's vocabulary
using UnitId = StrongInt<struct UnitIdTag, uint64_t>;       // a hash: see memory/unit.h

// Stream positions [begin, end).
struct StreamSpan {
  StreamPos begin, end;
  int64_t size() const { return end - begin; }
  bool Contains(StreamPos pos) const { return begin <= pos && pos < end; }
  bool Overlaps(const StreamSpan& other) const { return begin < other.end && other.begin < end; }
  friend bool operator==(const StreamSpan&, const StreamSpan&) = default;
};

// How keys and values are kept: kQ8_0 in 8 bits with a scale for each 32, about half the bytes.
enum class KvType : uint8_t { kF16, kQ8_0 };

enum class Role : uint8_t { kSystem, kUser, kAssistant };

constexpr const char* RoleName(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
  }
  return "unknown";
}

inline constexpr Role kRoles[] = {Role::kSystem, Role::kUser, Role::kAssistant};

// The role with a name; nullopt: there is none.
constexpr std::optional<Role> FindRole(std::string_view name) {
  for (const Role role : kRoles) {
    if (name == RoleName(role)) return role;
  }
  return std::nullopt;
}

}  // namespace anabranch

template <typename Tag, typename Int>
struct std::hash<anabranch::StrongInt<Tag, Int>> {
  size_t operator()(anabranch::StrongInt<Tag, Int> value) const {
    return std::hash<Int>()(value.value());
  }
};
