#include "support/gguf_builder.h"

#include <utility>

namespace anabranch::testing {
namespace {

// The format's value types.
enum : uint32_t { kUint32 = 4, kInt32 = 5, kFloat32 = 6, kBool = 7, kString = 8, kArray = 9 };

template <typename T>
void Append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendString(std::string& out, std::string_view text) {
  Append<uint64_t>(out, text.size());
  out += text;
}

template <typename T>
std::string Raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

void GgufBuilder::Key(std::string_view key, uint32_t type) {
  ++n_keys_;
  AppendString(keys_, key);
  Append(keys_, type);
}

void GgufBuilder::ArrayKey(std::string_view key, uint32_t type, size_t n) {
  Key(key, kArray);
  Append(keys_, type);
  Append<uint64_t>(keys_, n);
}

GgufBuilder& GgufBuilder::Alignment(uint32_t alignment) {
  alignment_ = alignment;
  return Uint32("general.alignment", alignment);
}

GgufBuilder& GgufBuilder::Uint32(std::string_view key, uint32_t value) {
  Key(key, kUint32);
  Append(keys_, value);
  return *this;
}

GgufBuilder& GgufBuilder::Float32(std::string_view key, float value) {
  Key(key, kFloat32);
  Append(keys_, value);
  return *this;
}

GgufBuilder& GgufBuilder::Bool(std::string_view key, bool value) {
  Key(key, kBool);
  Append<uint8_t>(keys_, value ? 1 : 0);
  return *this;
}

GgufBuilder& GgufBuilder::String(std::string_view key, std::string_view value) {
  Key(key, kString);
  AppendString(keys_, value);
  return *this;
}

GgufBuilder& GgufBuilder::Strings(std::string_view key, const std::vector<std::string>& values) {
  ArrayKey(key, kString, values.size());
  for (const std::string& value : values) AppendString(keys_, value);
  return *this;
}

GgufBuilder& GgufBuilder::Float32s(std::string_view key, const std::vector<float>& values) {
  ArrayKey(key, kFloat32, values.size());
  keys_ += Raw(values);
  return *this;
}

GgufBuilder& GgufBuilder::Int32s(std::string_view key, const std::vector<int32_t>& values) {
  ArrayKey(key, kInt32, values.size());
  keys_ += Raw(values);
  return *this;
}

GgufBuilder& GgufBuilder::Value(std::string_view key, uint32_t type, std::string_view raw) {
  Key(key, type);
  keys_ += raw;
  return *this;
}

GgufBuilder& GgufBuilder::Tensor(std::string_view name, uint32_t type,
                                 const std::vector<int64_t>& shape, std::string raw) {
  tensors_.push_back({std::string(name), type, shape, std::move(raw)});
  return *this;
}

GgufBuilder& GgufBuilder::TensorF32(std::string_view name, const std::vector<int64_t>& shape,
                                    const std::vector<float>& values) {
  return Tensor(name, 0, shape, Raw(values));
}

std::string GgufBuilder::Build() const {
  std::string file = "GGUF";
  Append(file, version_);
  Append<uint64_t>(file, tensors_.size());
  Append(file, n_keys_);
  file += keys_;
  uint64_t offset = 0;
  for (const Entry& tensor : tensors_) {
    AppendString(file, tensor.name);
    Append(file, static_cast<uint32_t>(tensor.shape.size()));
    for (int64_t size : tensor.shape) Append(file, size);
    Append(file, tensor.type);
    Append(file, offset);
    offset += Aligned(tensor.raw.size());
  }
  file.resize(Aligned(file.size()));
  for (const Entry& tensor : tensors_) {
    file += tensor.raw;
    file.resize(Aligned(file.size()));
  }
  return file;
}

}  // namespace anabranch::testing
