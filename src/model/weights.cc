#include "model/weights.h"

#include "io/file_kind.h"
#include "tensor/dequantize.h"

namespace anabranch {

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

Result<Weight> PackWeight(DeviceMemory& memory, std::span<const std::byte> raw, GgufType type,
                          int32_t rows, int32_t cols, const std::string& what,
                          FloatWeights floats) {
  CpuExec& exec = memory.exec();
  const size_t bytes = exec.table().packed_bytes(type, rows, cols, floats);
  Weight weight;
  if (bytes > 0) {
    ASSIGN_OR_RETURN(const DevPtr packed, memory.Alloc(bytes, what));
    const bool is_packed =
        exec.table().pack(exec.exec(), BytesOf(raw), type, rows, cols, floats, packed, &weight);
    RETURN_IF_ERROR(Sync(exec));
    if (is_packed) return weight;
  }
  return Fail(ErrorKind::kUnsupported, what,
              std::string("kernels '") + exec.table().name + "' have no matrix of type " +
                  GgufTypeName(type) + " with " + std::to_string(cols) + " columns");
}

Result<DevPtr> UploadFloats(DeviceMemory& memory, std::span<const float> values,
                            const std::string& what) {
  CpuExec& exec = memory.exec();
  ASSIGN_OR_RETURN(const DevPtr data, memory.Alloc(values.size_bytes(), what));
  exec.table().upload(exec.exec(), data, BytesOf(values));
  return data;
}

std::string GgufWeights::Name(std::string_view tensor) const {
  return gguf_.path() + ": tensor " + QuoteName(tensor);
}

Result<const GgufTensor*> GgufWeights::Take(const std::string& name,
                                            const std::vector<int64_t>& shape) {
  ASSIGN_OR_RETURN(const GgufTensor* tensor, gguf_.Tensor(name));
  if (tensor->shape != shape) {
    return Fail(ErrorKind::kInvalid, Name(name),
                "has shape " + ShapeText(tensor->shape) + ", but the file's metadata want " +
                    ShapeText(shape));
  }
  taken_.insert(name);
  return tensor;
}

Result<Weight> GgufWeights::Matrix(const std::string& name, int32_t rows, int32_t cols) {
  ASSIGN_OR_RETURN(const GgufTensor* tensor, Take(name, {cols, rows}));
  ASSIGN_OR_RETURN(const Weight weight,
                   PackWeight(memory_, tensor->data, tensor->type, rows, cols, Name(name)));
  gguf_.Drop(*tensor);
  return weight;
}

Result<std::vector<float>> GgufWeights::Floats(const std::string& name, int32_t n) {
  ASSIGN_OR_RETURN(const GgufTensor* tensor, Take(name, {n}));
  std::vector<float> values(static_cast<size_t>(n));
  Dequantize(tensor->type, tensor->data, values);
  return values;
}

Result<DevPtr> GgufWeights::Vector(const std::string& name, int32_t n) {
  ASSIGN_OR_RETURN(const std::vector<float> values, Floats(name, n));
  return UploadFloats(memory_, values, Name(name));
}

Result<DevPtr> GgufWeights::OptionalVector(const std::string& name, int32_t n) {
  if (!Has(name)) return DevPtr{};
  return Vector(name, n);
}

Result<void> GgufWeights::CheckAllTaken() const {
  for (const GgufTensor& tensor : gguf_.tensors()) {
    if (taken_.contains(tensor.name)) continue;
    return Fail(ErrorKind::kUnsupported, Name(tensor.name),
                "is no part of this architecture as it is computed here",
                "the model may be a variant that is not supported");
  }
  return {};
}

}  // namespace anabranch
