#include "io/gguf.h"

#include <fmt/format.h>

#include "io/file_kind.h"

namespace anabranch {
namespace {

Failure Missing(const std::string& path, std::string_view kind, std::string_view name) {
  return Fail(ErrorKind::kNotFound, path, fmt::format("{} {} is missing", kind, QuoteName(name)),
              "the file may be of another architecture, or incomplete");
}

Failure WrongType(const std::string& path, std::string_view key, std::string_view wanted) {
  return Fail(ErrorKind::kInvalid, path, fmt::format("key {} is not {}", QuoteName(key), wanted),
              "convert the model again with a current llama.cpp");
}

template <typename T>
Result<T> Get(const GgufValue* value, const std::string& path, std::string_view key,
              std::string_view wanted) {
  if (value == nullptr) return Missing(path, "key", key);
  if (const T* typed = std::get_if<T>(value)) return *typed;
  return WrongType(path, key, wanted);
}

template <typename T>
Result<std::span<const T>> GetArray(const GgufValue* value, const std::string& path,
                                    std::string_view key, std::string_view wanted) {
  if (value == nullptr) return Missing(path, "key", key);
  if (const auto* array = std::get_if<GgufArray>(value)) {
    if (const auto* typed = std::get_if<std::vector<T>>(array)) return std::span<const T>(*typed);
  }
  return WrongType(path, key, wanted);
}

}  // namespace

int64_t GgufTensor::rows() const {
  int64_t rows = 1;
  for (size_t i = 1; i < shape.size(); ++i) rows *= shape[i];
  return rows;
}

Result<GgufFile> GgufFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  auto file = std::make_shared<MappedFile>(std::move(mapped));
  ASSIGN_OR_RETURN(GgufFile gguf, Parse(file->bytes(), path));
  gguf.file_ = std::move(file);
  return gguf;
}

const GgufValue* GgufFile::Find(std::string_view key) const {
  auto found = key_index_.find(std::string(key));
  return found == key_index_.end() ? nullptr : &metadata_[found->second].second;
}

Result<int64_t> GgufFile::Int(std::string_view key) const {
  return Get<int64_t>(Find(key), path_, key, "an integer");
}

Result<double> GgufFile::Float(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value != nullptr && std::holds_alternative<int64_t>(*value)) {
    return static_cast<double>(std::get<int64_t>(*value));
  }
  return Get<double>(value, path_, key, "a number");
}

Result<bool> GgufFile::Bool(std::string_view key) const {
  return Get<bool>(Find(key), path_, key, "a bool");
}

Result<std::string_view> GgufFile::String(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return Missing(path_, "key", key);
  if (const auto* text = std::get_if<std::string>(value)) return std::string_view(*text);
  return WrongType(path_, key, "a string");
}

Result<std::span<const std::string>> GgufFile::Strings(std::string_view key) const {
  return GetArray<std::string>(Find(key), path_, key, "an array of strings");
}

Result<std::span<const int64_t>> GgufFile::Ints(std::string_view key) const {
  return GetArray<int64_t>(Find(key), path_, key, "an array of integers");
}

Result<std::span<const double>> GgufFile::Floats(std::string_view key) const {
  return GetArray<double>(Find(key), path_, key, "an array of floats");
}

Result<const GgufTensor*> GgufFile::Tensor(std::string_view name) const {
  auto found = tensor_index_.find(std::string(name));
  if (found == tensor_index_.end()) return Missing(path_, "tensor", name);
  return &tensors_[found->second];
}

void GgufFile::Drop(const GgufTensor& tensor) const {
  if (file_) file_->Drop(tensor.data);
}

}  // namespace anabranch
