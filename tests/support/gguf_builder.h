// Builds GGUF files in memory, well formed or not, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch::testing {

// Keys and tensors are written in the order of the calls. Data is aligned to 32 bytes; Alignment
// says otherwise, and writes the key for it.
class GgufBuilder {
 public:
  explicit GgufBuilder(uint32_t version = 3) : version_(version) {}
  GgufBuilder& Alignment(uint32_t alignment);
  GgufBuilder& Uint32(std::string_view key, uint32_t value);
  GgufBuilder& Float32(std::string_view key, float value);
  GgufBuilder& Bool(std::string_view key, bool value);
  GgufBuilder& String(std::string_view key, std::string_view value);
  GgufBuilder& Strings(std::string_view key, const std::vector<std::string>& values);
  GgufBuilder& Float32s(std::string_view key, const std::vector<float>& values);
  GgufBuilder& Int32s(std::string_view key, const std::vector<int32_t>& values);
  // A value of any type, well formed or not: GGUF's number of the type and the value's bytes.
  GgufBuilder& Value(std::string_view key, uint32_t type, std::string_view raw);
  // shape in GGUF order (fastest first); raw: the tensor's bytes of that GGUF type.
  GgufBuilder& Tensor(std::string_view name, uint32_t type, const std::vector<int64_t>& shape,
                      std::string raw);
  GgufBuilder& TensorF32(std::string_view name, const std::vector<int64_t>& shape,
                         const std::vector<float>& values);
  std::string Build() const;  // the file's bytes

 private:
  struct Entry {
    std::string name;
    uint32_t type;
    std::vector<int64_t> shape;
    std::string raw;
  };
  void Key(std::string_view key, uint32_t type);
  void ArrayKey(std::string_view key, uint32_t type, size_t n);
  size_t Aligned(size_t n) const { return (n + alignment_ - 1) / alignment_ * alignment_; }

  uint32_t version_;
  size_t alignment_ = 32;
  uint64_t n_keys_ = 0;
  std::string keys_;
  std::vector<Entry> tensors_;
};

}  // namespace anabranch::testing
