// GGUF v2 and v3: a key-value header and tensors, memory-mapped. The file is hostile input: every
// size and offset is checked before use; what is wrong is named with file, tensor or key, and
// fault.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/result.h"
#include "io/mapped_file.h"
#include "tensor/dtype.h"

namespace anabranch {

struct GgufTensor {
  std::string name;
  GgufType type = GgufType::kF32;
  std::vector<int64_t> shape;  // GGUF order: shape[0] is the fastest dimension (columns)
  std::span<const std::byte> data;
  int64_t cols() const { return shape.empty() ? 1 : shape[0]; }
  int64_t rows() const;  // product of the other dimensions
};

// Integers of all widths are int64 (uint64 above its range is refused), floats double. Arrays keep
// their element type: integers, floats, bools as integers, strings.
using GgufArray = std::variant<std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
using GgufValue = std::variant<int64_t, double, bool, std::string, GgufArray>;

class GgufFile {
 public:
  static Result<GgufFile> Open(const std::string& path);
  // Parses bytes that the caller keeps alive (tests, fuzzing); `name` stands for the path.
  static Result<GgufFile> Parse(std::span<const std::byte> bytes, const std::string& name);

  const std::string& path() const { return path_; }
  uint32_t version() const { return version_; }
  int64_t file_bytes() const { return file_bytes_; }

  // Typed look-up. Missing: kNotFound; another type: kInvalid; both name file and key.
  Result<int64_t> Int(std::string_view key) const;
  Result<double> Float(std::string_view key) const;  // accepts integers
  Result<bool> Bool(std::string_view key) const;
  Result<std::string_view> String(std::string_view key) const;
  Result<std::span<const std::string>> Strings(std::string_view key) const;
  Result<std::span<const int64_t>> Ints(std::string_view key) const;
  Result<std::span<const double>> Floats(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  // In file order, for `inspect`.
  const std::vector<std::pair<std::string, GgufValue>>& metadata() const { return metadata_; }

  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  // Missing: kNotFound naming the file and the tensor.
  Result<const GgufTensor*> Tensor(std::string_view name) const;
  // Tells the kernel that a packed tensor's pages will not be read again. No-op for Parse.
  void Drop(const GgufTensor& tensor) const;

 private:
  const GgufValue* Find(std::string_view key) const;

  std::shared_ptr<MappedFile> file_;
  std::string path_;
  uint32_t version_ = 0;
  int64_t file_bytes_ = 0;
  std::vector<std::pair<std::string, GgufValue>> metadata_;
  std::unordered_map<std::string, size_t> key_index_;
  std::vector<GgufTensor> tensors_;
  std::unordered_map<std::string, size_t> tensor_index_;
};

}  // namespace anabranch
