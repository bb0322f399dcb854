#include "memory/vector_code.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "memory/code_set.h"
#include "tensor/plan.h"

namespace anabranch {
namespace {

constexpr float kMaxVectorCode = 127;
// Of an error bound that is itself computed in float.
constexpr double kRoundUp = 1 + 1e-5;

struct Rounded {
  float scale = 0, error = 0;
};

// Rounds values to multiples of a scale, of which the largest is `most`.
template <typename Code>
Rounded Round(std::span<const float> values, float most, Code* codes) {
  float largest = 0;
  for (const float v : values) largest = std::max(largest, std::fabs(v));
  const float scale = largest / most;
  const float inverse = scale > 0 ? 1 / scale : 0;
  double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    // No number, and one so small that the inverse of its scale overflows, round to nothing.
    const float code = std::round(values[i] * inverse);
    codes[i] = static_cast<Code>(std::isfinite(code) ? std::clamp(code, -most, most) : 0);
    const double error = static_cast<double>(values[i]) - static_cast<double>(scale) * codes[i];
    squares += error * error;
  }
  return {scale, static_cast<float>(std::sqrt(squares) * kRoundUp)};
}

}  // namespace

size_t CodeBytes(int32_t width) { return static_cast<size_t>(width) + 2 * sizeof(float); }

std::vector<std::byte> EncodeVector(std::span<const float> vector) {
  std::vector<std::byte> bytes(CodeBytes(static_cast<int32_t>(vector.size())));
  const Rounded rounded = Round(vector, kMaxVectorCode, reinterpret_cast<int8_t*>(bytes.data()));
  std::memcpy(bytes.data() + vector.size(), &rounded.scale, sizeof(float));
  std::memcpy(bytes.data() + vector.size() + sizeof(float), &rounded.error, sizeof(float));
  return bytes;
}

bool IsCode(std::span<const std::byte> bytes, int32_t width) {
  if (bytes.size() != CodeBytes(width)) return false;
  float numbers[2];
  std::memcpy(numbers, bytes.data() + width, sizeof(numbers));
  return numbers[0] >= 0 && numbers[0] <= 1 && numbers[1] >= 0 && numbers[1] <= 1;  // no NaN passes
}

QueryCode EncodeQuery(std::span<const float> query) {
  QueryCode code;
  code.codes.resize(static_cast<size_t>(CodeStride(static_cast<int32_t>(query.size()))));
  const Rounded rounded = Round(query, float{kMaxQueryCode}, code.codes.data());
  code.scale = rounded.scale;
  code.error = rounded.error;
  double squares = 0;
  for (const float v : query) squares += static_cast<double>(v) * v;
  code.norm = static_cast<float>(std::sqrt(squares) * kRoundUp);
  return code;
}

}  // namespace anabranch
