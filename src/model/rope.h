// Rotary position embedding: frequencies, and their scalings for longer contexts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace anabranch {

enum class RopeScaling : uint8_t {
  kNone,
  kLinear,  // positions / factor (Chen et al., 2023)
  kNtk,     // theta * factor^(n_rot / (n_rot - 2)): high frequencies stay ("NTK-aware")
};

struct RopeConfig {
  int32_t n_rot = 0;  // dimensions of a head that rotate; even
  float theta = 10000.0f;
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1.0f;
};

// uint64[n_rot / 2]: turns of pair j per position, in units of 2^-64 turns. `freq_factors` divide
// the frequencies (Llama 3's scaling as GGUF stores it); empty, or n_rot / 2 finite values > 0.
std::vector<uint64_t> RopeIncrements(const RopeConfig& config, std::span<const float> freq_factors);

}  // namespace anabranch
