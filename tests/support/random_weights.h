// Random weights that are the same everywhere: the engine is standardised, distributions are not.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace anabranch::testing {

class RandomWeights {
 public:
  explicit RandomWeights(uint32_t seed) : engine_(seed) {}

  uint32_t Bits() { return static_cast<uint32_t>(engine_()); }
  // Uniform around `mean` with standard deviation `deviation`.
  std::vector<float> Uniform(size_t n, float deviation, float mean = 0.0f) {
    std::vector<float> values(n);
    for (float& value : values) {
      float unit = static_cast<float>(Bits() >> 8) * 0x1p-23f - 1.0f;  // [-1, 1), deviation 1/√3
      value = mean + unit * deviation * std::sqrt(3.0f);
    }
    return values;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace anabranch::testing
