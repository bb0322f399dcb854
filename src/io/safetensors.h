// safetensors (F32, F16, BF16; other types are listed but have no data type here): a JSON header
// and tensors, memory-mapped. Hostile input, as in gguf.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/mapped_file.h"
#include "tensor/dtype.h"

namespace anabranch {

struct SafeTensor {
  std::string name;
  std::string dtype_name;           // as in the file: "F32", "I64", …
  std::optional<DType> dtype;       // set for F32, F16, BF16
  std::vector<int64_t> shape;       // slowest dimension first
  std::span<const std::byte> data;  // aligned only as the file's header leaves it: copy, not cast
};

class SafetensorsFile {
 public:
  static Result<SafetensorsFile> Open(const std::string& path);
  static Result<SafetensorsFile> Parse(std::span<const std::byte> bytes, const std::string& name);

  const std::string& path() const { return path_; }
  // By name.
  const std::vector<SafeTensor>& tensors() const { return tensors_; }
  Result<const SafeTensor*> Tensor(std::string_view name) const;

 private:
  std::shared_ptr<MappedFile> file_;
  std::string path_;
  std::vector<SafeTensor> tensors_;
};

}  // namespace anabranch
