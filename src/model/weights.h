// Weights from a file into backend memory, in the layout of the table that will read them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "io/gguf.h"
#include "model/device_memory.h"

namespace anabranch {

// Packs a matrix [rows, cols], raw as in its file. Error kUnsupported: no kernel for the type.
Result<Weight> PackWeight(DeviceMemory& memory, std::span<const std::byte> raw, GgufType type,
                          int32_t rows, int32_t cols, const std::string& what,
                          FloatWeights floats = FloatWeights::kExact);
Result<DevPtr> UploadFloats(DeviceMemory& memory, std::span<const float> values,
                            const std::string& what);

// Takes tensors of a GGUF file by name. A shape that is not the wanted one is an error that names
// file, tensor and both shapes. Pages of a tensor that was taken are dropped.
class GgufWeights {
 public:
  // Both must outlive this.
  GgufWeights(const GgufFile& gguf, DeviceMemory& memory) : gguf_(gguf), memory_(memory) {}

  bool Has(std::string_view name) const { return gguf_.Tensor(name).has_value(); }
  Result<Weight> Matrix(const std::string& name, int32_t rows, int32_t cols);
  Result<std::vector<float>> Floats(const std::string& name, int32_t n);
  Result<DevPtr> Vector(const std::string& name, int32_t n);
  // A null pointer if the file has no such tensor.
  Result<DevPtr> OptionalVector(const std::string& name, int32_t n);

  // Error kUnsupported: the file has a tensor that nothing took. A forward pass that does not know
  // all of a model's weights would compute something else.
  Result<void> CheckAllTaken() const;

 private:
  Result<const GgufTensor*> Take(const std::string& name, const std::vector<int64_t>& shape);
  std::string Name(std::string_view tensor) const;

  const GgufFile& gguf_;
  DeviceMemory& memory_;
  std::unordered_set<std::string> taken_;
};

// "[576, 49152]"
std::string ShapeText(std::span<const int64_t> shape);

}  // namespace anabranch
