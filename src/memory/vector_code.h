// Unit vectors in 8 bits, and how far a score of them can be from the vectors' own: |v.q - s| is at
// most |v - v'| |q| + |v'| |q - q'| for the score s = v'.q' of the rounded ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace anabranch {

// Bytes of a vector's code: int8[width], then as float32 its scale and |v - scale * code|.
size_t CodeBytes(int32_t width);
std::vector<std::byte> EncodeVector(std::span<const float> vector);
// True of what EncodeVector may have made of a unit vector.
bool IsCode(std::span<const std::byte> bytes, int32_t width);

// A query that is scanned for.
struct QueryCode {
  std::vector<int16_t> codes;  // [stride of a CodeSet], zeros behind width
  float scale = 0;
  float norm = 0;   // |q|
  float error = 0;  // |q - scale * codes|
};
QueryCode EncodeQuery(std::span<const float> query);

}  // namespace anabranch
