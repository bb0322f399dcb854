#include "text/align.h"

#include <algorithm>
#include <cstddef>

#include "text/utf8.h"

namespace anabranch {
namespace {

// How far apart two spellings may be and still be brought together again, in units.
constexpr size_t kReach = 8;
// Units that must agree for that.
constexpr size_t kAgreement = 2;

// A character, or a whole run of unreadable ones (which two spellings may write in any way).
struct Unit {
  std::string_view bytes;
  bool unreadable;

  friend bool operator==(const Unit& a, const Unit& b) {
    return a.unreadable ? b.unreadable : a.bytes == b.bytes;
  }
};

std::vector<Unit> UnitsOf(std::string_view text) {
  std::vector<Unit> units;
  size_t pos = 0;
  while (pos < text.size()) {
    const Utf8Part part = NextUtf8(text.substr(pos));
    const std::string_view bytes = text.substr(pos, part.size);
    const bool unreadable = part.kind != Utf8Kind::kCharacter || bytes == kReplacementCharacter;
    pos += part.size;
    if (unreadable && !units.empty() && units.back().unreadable) {
      Unit& run = units.back();
      run.bytes = {run.bytes.data(), run.bytes.size() + bytes.size()};
    } else {
      units.push_back({bytes, unreadable});
    }
  }
  return units;
}

bool Agree(const std::vector<Unit>& a, size_t i, const std::vector<Unit>& b, size_t j) {
  for (size_t k = 0; k < kAgreement; ++k) {
    const bool a_ends = i + k >= a.size(), b_ends = j + k >= b.size();
    if (a_ends || b_ends) return a_ends && b_ends;
    if (!(a[i + k] == b[j + k])) return false;
  }
  return true;
}

struct Skip {
  size_t from, to;
};

// The fewest units to skip on both sides after which they agree; none near: one for one.
Skip NearestAgreement(const std::vector<Unit>& from, size_t i, const std::vector<Unit>& to,
                      size_t j) {
  for (size_t both = 1; both <= kReach; ++both) {
    for (size_t skip = 0; skip <= both; ++skip) {
      if (Agree(from, i + skip, to, j + both - skip)) return {skip, both - skip};
    }
  }
  return {1, 1};
}

}  // namespace

std::vector<uint32_t> AlignBytes(std::string_view from, std::string_view to) {
  const std::vector<Unit> a = UnitsOf(from), b = UnitsOf(to);
  std::vector<uint32_t> places = {0};
  places.reserve(from.size() + 1);
  size_t end = 0;  // in `to`, of what is aligned so far
  // The next n units of `from` stand for the next m of `to`.
  size_t i = 0, j = 0;
  const auto pair = [&](size_t n, size_t m) {
    const size_t begin = end;
    for (const size_t stop = std::min(j + m, b.size()); j < stop; ++j) end += b[j].bytes.size();
    const size_t last = i + n;
    for (size_t offset = 1; i < std::min(last, a.size()); ++i) {
      for (size_t byte = 0; byte < a[i].bytes.size(); ++byte, ++offset) {
        places.push_back(static_cast<uint32_t>(std::min(begin + offset, end)));
      }
    }
  };
  while (i < a.size()) {
    if (j < b.size() && a[i] == b[j]) {
      pair(1, 1);
    } else {
      const Skip skip = NearestAgreement(a, i, b, j);
      pair(skip.from, skip.to);
    }
  }
  places.back() = static_cast<uint32_t>(to.size());
  return places;
}

}  // namespace anabranch
