#include "support/corruption.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace anabranch::testing {
namespace {

void Mutate(std::string& file, std::mt19937& random) {
  auto below = [&](size_t n) { return random() % std::max<size_t>(n, 1); };
  const size_t at = below(file.size());
  const size_t n = std::min(file.size() - at, 1 + below(32));
  switch (below(6)) {
    case 0:
      if (!file.empty()) file[at] = static_cast<char>(random());
      break;
    case 1:
      if (!file.empty()) file[at] = static_cast<char>(file[at] ^ (1 << below(8)));
      break;
    case 2:
      std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), n, '\xFF');
      break;
    case 3:
      file.erase(at, n);
      break;
    case 4:
      file.insert(at, file.substr(at, n));
      break;
    case 5:
      file.replace(at, n, file.substr(below(file.size()), n));
      break;
  }
}

}  // namespace

std::string Mutated(std::string file, uint32_t seed) {
  std::mt19937 random(seed);
  const size_t n = 1 + random() % 8;
  for (size_t i = 0; i < n; ++i) Mutate(file, random);
  file.shrink_to_fit();  // so that a sanitizer sees a read past the end
  return file;
}

void ForEachBoundaryValue(const std::string& file,
                          const std::function<void(const std::string&)>& use) {
  constexpr uint64_t kValues[] = {0,
                                  1,
                                  0x7F,
                                  0xFF,
                                  0x7FFF,
                                  0xFFFF,
                                  0x7FFFFFFF,
                                  0x80000000,
                                  0xFFFFFFFF,
                                  0x100000000,
                                  uint64_t{1} << 60,
                                  uint64_t{1} << 61,
                                  INT64_MAX,
                                  uint64_t{1} << 63,
                                  UINT64_MAX - 31,
                                  UINT64_MAX};
  for (size_t size : {sizeof(uint32_t), sizeof(uint64_t)}) {
    for (size_t at = 0; at + size <= file.size(); ++at) {
      for (uint64_t value : kValues) {
        SCOPED_TRACE(::testing::Message() << value << " in " << size << " bytes at " << at);
        std::string changed = file;
        std::memcpy(changed.data() + at, &value, size);
        use(changed);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace anabranch::testing
