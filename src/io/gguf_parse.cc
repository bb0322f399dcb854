// The GGUF format, from its bytes: header, key-value pairs, tensor descriptions, data.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "io/file_kind.h"
#include "io/gguf.h"
#include "tensor/dequantize.h"

namespace anabranch {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read as little-endian");

enum class ValueType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

constexpr size_t kMaxDims = 4;  // GGML_MAX_DIMS
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr uint64_t kDefaultAlignment = 32;
// Smallest encodings, which bound a count by the bytes that are left.
constexpr size_t kMinPairBytes = 8 + 4 + 1;            // key length, type, a byte
constexpr size_t kMinTensorInfoBytes = 8 + 4 + 4 + 8;  // name length, n_dims, type, offset

// Bytes that a value takes at least. Of unknown types 1: reading one fails.
size_t MinBytes(ValueType type) {
  switch (type) {
    case ValueType::kUint16:
    case ValueType::kInt16:
      return 2;
    case ValueType::kUint32:
    case ValueType::kInt32:
    case ValueType::kFloat32:
      return 4;
    case ValueType::kString:  // its length
    case ValueType::kUint64:
    case ValueType::kInt64:
    case ValueType::kFloat64:
      return 8;
    default:
      return 1;
  }
}

// Reads the file from its begin to its end. `subject` of the errors is what is being read.
class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  struct Header {
    uint32_t version;
    size_t n_tensors, n_pairs;
  };
  Result<Header> ReadHeader();
  Result<std::pair<std::string, GgufValue>> ReadPair(size_t index);
  struct TensorInfo {
    GgufTensor tensor;  // without its data
    uint64_t offset;    // from the begin of the data
  };
  Result<TensorInfo> ReadTensorInfo(size_t index);
  // Sets tensor.data. The data of all tensors begin at the next multiple of `alignment`.
  Result<void> Locate(TensorInfo& info, uint64_t alignment);
  Result<uint64_t> CheckAlignment(int64_t alignment);
  Failure Duplicate() const { return Corrupt("stands twice in the file"); }

 private:
  template <typename T>
  Result<T> Read();
  template <typename Stored, typename T>
  Result<GgufValue> ReadAs();
  Result<std::string> ReadString();
  // A count of things of at least that many bytes each, which must fit into what is left.
  Result<uint64_t> ReadCount(size_t min_bytes_each, std::string_view of);
  Result<GgufValue> ReadScalar(ValueType type);
  Result<GgufValue> ReadArray();
  template <typename Element, typename Scalar>
  Result<GgufValue> ReadElements(ValueType type);
  Failure Corrupt(std::string fault) const {
    return Fail(ErrorKind::kCorrupt, path_, subject_ + ": " + std::move(fault),
                "the file is damaged or incomplete; get it again");
  }

  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  const std::string& path_;
  std::string subject_ = "header";
};

template <typename T>
Result<T> Parser::Read() {
  if (bytes_.size() - at_ < sizeof(T)) {
    return Corrupt(fmt::format("the file ends here: {} bytes are missing at offset {}",
                               sizeof(T) - (bytes_.size() - at_), bytes_.size()));
  }
  T value;
  std::memcpy(&value, bytes_.data() + at_, sizeof(T));
  at_ += sizeof(T);
  return value;
}

template <typename Stored, typename T>
Result<GgufValue> Parser::ReadAs() {
  ASSIGN_OR_RETURN(Stored value, Read<Stored>());
  return GgufValue(static_cast<T>(value));
}

Result<uint64_t> Parser::ReadCount(size_t min_bytes_each, std::string_view of) {
  ASSIGN_OR_RETURN(uint64_t n, Read<uint64_t>());
  size_t left = bytes_.size() - at_;
  if (n > left / min_bytes_each) {
    return Corrupt(fmt::format("{} {} cannot stand in the {} bytes that are left", n, of, left));
  }
  return n;
}

Result<std::string> Parser::ReadString() {
  ASSIGN_OR_RETURN(uint64_t n, ReadCount(1, "bytes of a string"));
  std::string text(reinterpret_cast<const char*>(bytes_.data() + at_), n);
  at_ += n;
  return text;
}

Result<Parser::Header> Parser::ReadHeader() {
  constexpr std::string_view kMagic = "GGUF";
  if (bytes_.size() < kMagic.size() ||
      std::memcmp(bytes_.data(), kMagic.data(), kMagic.size()) != 0) {
    return WrongFileKind(path_, "GGUF", bytes_);
  }
  at_ = kMagic.size();
  ASSIGN_OR_RETURN(uint32_t version, Read<uint32_t>());
  if ((version & 0xFFFF) == 0) {
    return Fail(ErrorKind::kUnsupported, path_, "is a big-endian GGUF file",
                "convert it with gguf-py's gguf_convert_endian.py");
  }
  if (version != 2 && version != 3) {
    return Fail(ErrorKind::kUnsupported, path_,
                fmt::format("is GGUF version {}; versions 2 and 3 are read", version),
                "convert the model again with a current llama.cpp");
  }
  ASSIGN_OR_RETURN(uint64_t n_tensors, ReadCount(kMinTensorInfoBytes, "tensors"));
  ASSIGN_OR_RETURN(uint64_t n_pairs, ReadCount(kMinPairBytes, "keys"));
  return Header{version, n_tensors, n_pairs};
}

Result<std::pair<std::string, GgufValue>> Parser::ReadPair(size_t index) {
  subject_ = fmt::format("key number {}", index);
  ASSIGN_OR_RETURN(std::string key, ReadString());
  subject_ = "key " + QuoteName(key);
  ASSIGN_OR_RETURN(uint32_t type, Read<uint32_t>());
  ASSIGN_OR_RETURN(GgufValue value, static_cast<ValueType>(type) == ValueType::kArray
                                        ? ReadArray()
                                        : ReadScalar(static_cast<ValueType>(type)));
  return std::pair(std::move(key), std::move(value));
}

Result<GgufValue> Parser::ReadScalar(ValueType type) {
  switch (type) {
    case ValueType::kUint8:
      return ReadAs<uint8_t, int64_t>();
    case ValueType::kInt8:
      return ReadAs<int8_t, int64_t>();
    case ValueType::kUint16:
      return ReadAs<uint16_t, int64_t>();
    case ValueType::kInt16:
      return ReadAs<int16_t, int64_t>();
    case ValueType::kUint32:
      return ReadAs<uint32_t, int64_t>();
    case ValueType::kInt32:
      return ReadAs<int32_t, int64_t>();
    case ValueType::kInt64:
      return ReadAs<int64_t, int64_t>();
    case ValueType::kFloat32:
      return ReadAs<float, double>();
    case ValueType::kFloat64:
      return ReadAs<double, double>();
    case ValueType::kUint64: {
      ASSIGN_OR_RETURN(uint64_t value, Read<uint64_t>());
      if (std::cmp_greater(value, std::numeric_limits<int64_t>::max())) {
        return Corrupt(fmt::format("{} is above the range of 63 bits", value));
      }
      return GgufValue(static_cast<int64_t>(value));
    }
    case ValueType::kBool: {
      ASSIGN_OR_RETURN(uint8_t value, Read<uint8_t>());
      if (value > 1) return Corrupt(fmt::format("{} is no bool", value));
      return GgufValue(value == 1);
    }
    case ValueType::kString: {
      ASSIGN_OR_RETURN(std::string text, ReadString());
      return GgufValue(std::move(text));
    }
    case ValueType::kArray:
      return Corrupt("an array of arrays, which no model needs");
  }
  return Corrupt(
      fmt::format("value type {} is unknown (0 to 12 are known)", static_cast<uint32_t>(type)));
}

template <typename Element, typename Scalar>
Result<GgufValue> Parser::ReadElements(ValueType type) {
  ASSIGN_OR_RETURN(uint64_t n, ReadCount(MinBytes(type), "elements"));
  std::vector<Element> elements;
  elements.reserve(n);
  for (uint64_t i = 0; i < n; ++i) {
    ASSIGN_OR_RETURN(GgufValue value, ReadScalar(type));
    elements.push_back(static_cast<Element>(std::get<Scalar>(std::move(value))));
  }
  return GgufValue(GgufArray(std::move(elements)));
}

Result<GgufValue> Parser::ReadArray() {
  ASSIGN_OR_RETURN(uint32_t raw_type, Read<uint32_t>());
  const auto type = static_cast<ValueType>(raw_type);
  switch (type) {
    case ValueType::kFloat32:
    case ValueType::kFloat64:
      return ReadElements<double, double>(type);
    case ValueType::kString:
      return ReadElements<std::string, std::string>(type);
    case ValueType::kBool:
      return ReadElements<int64_t, bool>(type);
    default:
      return ReadElements<int64_t, int64_t>(type);
  }
}

Result<Parser::TensorInfo> Parser::ReadTensorInfo(size_t index) {
  subject_ = fmt::format("tensor number {}", index);
  TensorInfo info;
  GgufTensor& tensor = info.tensor;
  ASSIGN_OR_RETURN(tensor.name, ReadString());
  subject_ = "tensor " + QuoteName(tensor.name);
  ASSIGN_OR_RETURN(uint32_t n_dims, Read<uint32_t>());
  if (n_dims > kMaxDims) {
    return Corrupt(fmt::format("{} dimensions, at most {} are possible", n_dims, kMaxDims));
  }
  for (uint32_t i = 0; i < n_dims; ++i) {
    ASSIGN_OR_RETURN(uint64_t size, Read<uint64_t>());
    if (size == 0 || std::cmp_greater(size, std::numeric_limits<int64_t>::max())) {
      return Corrupt(fmt::format("dimension {} is {}", i, size));
    }
    tensor.shape.push_back(static_cast<int64_t>(size));
  }
  ASSIGN_OR_RETURN(uint32_t type, Read<uint32_t>());
  if (!IsKnownGgufType(type)) {
    return Fail(ErrorKind::kUnsupported, path_,
                fmt::format("{}: tensor type {} is not supported", subject_, type),
                "convert the model to F16, Q8_0, Q4_1 or a K-quant");
  }
  tensor.type = static_cast<GgufType>(type);
  ASSIGN_OR_RETURN(info.offset, Read<uint64_t>());
  return info;
}

Result<void> Parser::Locate(TensorInfo& info, uint64_t alignment) {
  GgufTensor& tensor = info.tensor;
  subject_ = "tensor " + QuoteName(tensor.name);
  const int64_t block_size = GgufBlockSize(tensor.type);
  if (tensor.cols() % block_size != 0) {
    return Corrupt(fmt::format("{} columns are no multiple of {}'s block of {}", tensor.cols(),
                               GgufTypeName(tensor.type), block_size));
  }
  auto n_bytes = static_cast<uint64_t>(tensor.cols() / block_size);
  bool overflow = __builtin_mul_overflow(n_bytes, GgufBlockBytes(tensor.type), &n_bytes);
  for (size_t i = 1; i < tensor.shape.size(); ++i) {
    overflow |= __builtin_mul_overflow(n_bytes, tensor.shape[i], &n_bytes);
  }
  if (overflow) {
    return Corrupt(
        fmt::format("the size of its shape [{}] overflows", fmt::join(tensor.shape, ", ")));
  }
  if (info.offset % alignment != 0) {
    return Corrupt(
        fmt::format("offset {} is no multiple of the alignment {}", info.offset, alignment));
  }
  const size_t data_begin = (at_ + alignment - 1) / alignment * alignment;
  const std::span<const std::byte> data = bytes_.subspan(std::min(data_begin, bytes_.size()));
  const size_t left = data.size() - std::min(data.size(), info.offset);
  if (n_bytes > left) {
    return Corrupt(fmt::format("{} of its {} bytes are missing: the file ends at {}",
                               n_bytes - left, n_bytes, bytes_.size()));
  }
  tensor.data = data.subspan(info.offset, n_bytes);
  return {};
}

Result<uint64_t> Parser::CheckAlignment(int64_t alignment) {
  // The format wants a multiple of 8, ggml a power of two; the bound keeps offsets far from
  // overflow.
  constexpr int64_t kMaxAlignment = 1 << 20;
  subject_ = fmt::format("key '{}'", kAlignmentKey);
  if (alignment < 8 || alignment > kMaxAlignment ||
      !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    return Corrupt(fmt::format("{} is no power of two from 8 to {}", alignment, kMaxAlignment));
  }
  return static_cast<uint64_t>(alignment);
}

}  // namespace

Result<GgufFile> GgufFile::Parse(std::span<const std::byte> bytes, const std::string& name) {
  Parser parser(bytes, name);
  ASSIGN_OR_RETURN(Parser::Header header, parser.ReadHeader());
  GgufFile file;
  file.path_ = name;
  file.version_ = header.version;
  file.file_bytes_ = static_cast<int64_t>(bytes.size());
  for (size_t i = 0; i < header.n_pairs; ++i) {
    ASSIGN_OR_RETURN(auto pair, parser.ReadPair(i));
    if (!file.key_index_.emplace(pair.first, i).second) return parser.Duplicate();
    file.metadata_.push_back(std::move(pair));
  }
  // A part alone lacks most tensors: better said here than tensor by tensor.
  if (Result<int64_t> n_parts = file.Int("split.count"); n_parts && *n_parts > 1) {
    return Fail(ErrorKind::kUnsupported, name,
                fmt::format("is one of {} parts of a model", *n_parts),
                "merge them with llama.cpp's 'llama-gguf-split --merge'");
  }
  uint64_t alignment = kDefaultAlignment;
  if (file.Has(kAlignmentKey)) {
    ASSIGN_OR_RETURN(int64_t value, file.Int(kAlignmentKey));
    ASSIGN_OR_RETURN(alignment, parser.CheckAlignment(value));
  }
  std::vector<Parser::TensorInfo> infos;
  for (size_t i = 0; i < header.n_tensors; ++i) {
    ASSIGN_OR_RETURN(Parser::TensorInfo info, parser.ReadTensorInfo(i));
    if (!file.tensor_index_.emplace(info.tensor.name, i).second) return parser.Duplicate();
    infos.push_back(std::move(info));
  }
  for (Parser::TensorInfo& info : infos) {
    RETURN_IF_ERROR(parser.Locate(info, alignment));
    file.tensors_.push_back(std::move(info.tensor));
  }
  return file;
}

}  // namespace anabranch
