#include "io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "io/file_kind.h"

namespace anabranch {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr size_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr size_t kMaxDims = 8;
constexpr int kMaxDepth = 2;  // { tensor: { shape: [ ] } }

struct DTypeEntry {
  std::string_view name;
  uint64_t bytes;
  std::optional<DType> dtype;
};

constexpr DTypeEntry kDTypes[] = {
    {"F32", 4, DType::kF32},   {"F16", 2, DType::kF16},      {"BF16", 2, DType::kBF16},
    {"F64", 8, std::nullopt},  {"I64", 8, std::nullopt},     {"U64", 8, std::nullopt},
    {"I32", 4, std::nullopt},  {"U32", 4, std::nullopt},     {"I16", 2, std::nullopt},
    {"U16", 2, std::nullopt},  {"I8", 1, std::nullopt},      {"U8", 1, std::nullopt},
    {"BOOL", 1, std::nullopt}, {"F8_E4M3", 1, std::nullopt}, {"F8_E5M2", 1, std::nullopt},
};

Failure Corrupt(const std::string& path, std::string fault) {
  return Fail(ErrorKind::kCorrupt, path, std::move(fault),
              "the file is damaged or incomplete; get it again");
}

// The header's JSON object, in which no tensor stands twice.
Result<json> ParseHeader(std::string_view text, const std::string& path) {
  std::unordered_set<std::string> names;
  std::optional<std::string> twice;
  bool too_deep = false;
  auto on_event = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names.insert(name).second) twice = name;
    }
    bool begins =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    too_deep |= begins && depth > kMaxDepth;
    return !too_deep;  // false: the value is dropped, so nesting costs no memory
  };
  json header = json::parse(text, on_event, /*allow_exceptions=*/false);
  if (twice) return Corrupt(path, fmt::format("tensor {} stands twice", QuoteName(*twice)));
  if (too_deep || !header.is_object()) {
    return Corrupt(path, "its header is no JSON object of tensors");
  }
  return header;
}

// Non-negative integers, else nullopt.
std::optional<std::vector<uint64_t>> Numbers(const json& entry, const char* field) {
  auto found = entry.find(field);
  if (found == entry.end() || !found->is_array()) return std::nullopt;
  std::vector<uint64_t> numbers;
  for (const json& number : *found) {
    if (!number.is_number_unsigned()) return std::nullopt;
    numbers.push_back(number.get<uint64_t>());
  }
  return numbers;
}

Result<SafeTensor> ReadTensor(const std::string& name, const json& entry,
                              std::span<const std::byte> data, const std::string& path) {
  auto corrupt = [&](std::string_view fault) {
    return Corrupt(path, fmt::format("tensor {}: {}", QuoteName(name), fault));
  };
  if (!entry.is_object()) return corrupt("its entry is no object");
  auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) return corrupt("it has no dtype");
  std::optional<std::vector<uint64_t>> shape = Numbers(entry, "shape");
  if (!shape || shape->size() > kMaxDims) {
    return corrupt(fmt::format("its shape is no list of at most {} sizes", kMaxDims));
  }
  std::optional<std::vector<uint64_t>> offsets = Numbers(entry, "data_offsets");
  if (!offsets || offsets->size() != 2 || (*offsets)[0] > (*offsets)[1]) {
    return corrupt("its data_offsets are no pair of begin and end");
  }
  const uint64_t begin = (*offsets)[0], end = (*offsets)[1];
  if (end > data.size()) {
    uint64_t left = data.size() - std::min<uint64_t>(data.size(), begin);
    return corrupt(fmt::format("{} of its {} bytes are missing from the end of the file",
                               end - begin - left, end - begin));
  }
  SafeTensor tensor;
  tensor.name = name;
  tensor.dtype_name = dtype->get<std::string>();
  tensor.data = data.subspan(begin, end - begin);
  const auto* known =
      std::ranges::find(kDTypes, std::string_view(tensor.dtype_name), &DTypeEntry::name);
  uint64_t n_bytes = known == std::end(kDTypes) ? 1 : known->bytes;
  bool overflow = false;
  for (uint64_t size : *shape) {
    overflow |= __builtin_mul_overflow(n_bytes, size, &n_bytes);
    overflow |= std::cmp_greater(size, std::numeric_limits<int64_t>::max());
    tensor.shape.push_back(static_cast<int64_t>(size));
  }
  if (overflow) {
    return corrupt(fmt::format("the size of its shape [{}] overflows", fmt::join(*shape, ", ")));
  }
  if (known == std::end(kDTypes)) return tensor;
  tensor.dtype = known->dtype;
  if (n_bytes != tensor.data.size()) {
    return corrupt(fmt::format("its shape [{}] of {} takes {} bytes, its data_offsets hold {}",
                               fmt::join(*shape, ", "), tensor.dtype_name, n_bytes,
                               tensor.data.size()));
  }
  return tensor;
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  auto file = std::make_shared<MappedFile>(std::move(mapped));
  ASSIGN_OR_RETURN(SafetensorsFile safetensors, Parse(file->bytes(), path));
  safetensors.file_ = std::move(file);
  return safetensors;
}

Result<SafetensorsFile> SafetensorsFile::Parse(std::span<const std::byte> bytes,
                                               const std::string& name) {
  if (bytes.size() <= kLengthBytes || bytes[kLengthBytes] != std::byte{'{'}) {
    return WrongFileKind(name, "safetensors", bytes);
  }
  uint64_t header_bytes;
  std::memcpy(&header_bytes, bytes.data(), kLengthBytes);
  bytes = bytes.subspan(kLengthBytes);
  if (header_bytes > kMaxHeaderBytes) {
    return Corrupt(name, fmt::format("its header of {} bytes is above the limit of {}",
                                     header_bytes, kMaxHeaderBytes));
  }
  if (header_bytes > bytes.size()) {
    return Corrupt(name, fmt::format("{} of its header's {} bytes are missing",
                                     header_bytes - bytes.size(), header_bytes));
  }
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), header_bytes);
  ASSIGN_OR_RETURN(json header, ParseHeader(text, name));
  SafetensorsFile file;
  file.path_ = name;
  for (const auto& [tensor_name, entry] : header.items()) {
    if (tensor_name == "__metadata__") continue;
    ASSIGN_OR_RETURN(SafeTensor tensor,
                     ReadTensor(tensor_name, entry, bytes.subspan(header_bytes), name));
    file.tensors_.push_back(std::move(tensor));
  }
  return file;
}

Result<const SafeTensor*> SafetensorsFile::Tensor(std::string_view name) const {
  auto found = std::ranges::find(tensors_, name, &SafeTensor::name);
  if (found == tensors_.end()) {
    return Fail(ErrorKind::kNotFound, path_, fmt::format("tensor {} is missing", QuoteName(name)),
                "the file may be of another architecture, or incomplete");
  }
  return &*found;
}

}  // namespace anabranch
