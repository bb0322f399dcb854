#include "memory/chroma_json.h"

#include <cmath>
#include <limits>

#include "text/utf8_stream.h"

namespace anabranch {
namespace {

using nlohmann::json;

const json& Find(const json& object, const char* key) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

}  // namespace

std::string JsonText(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool IsJsonString(std::string_view bytes) {
  return bytes.find('\0') == bytes.npos && IsValidUtf8(bytes);
}

Failure JsonReader::Wrong(const std::string& fault) const {
  return Fail(ErrorKind::kCorrupt, server_, "its answer is none of a Chroma server's: " + fault,
              "name the address of a Chroma server of version 1");
}

Result<const json*> JsonReader::Array(const json& object, const char* key) const {
  const json& value = Find(object, key);
  if (!value.is_array()) return Wrong("no array \"" + std::string(key) + "\"");
  return &value;
}

Result<const json*> JsonReader::Object(const json& object, const char* key) const {
  const json& value = Find(object, key);
  if (!value.is_object()) return Wrong("no object \"" + std::string(key) + "\"");
  return &value;
}

Result<std::string> JsonReader::String(const json& object, const char* key) const {
  const json& value = Find(object, key);
  if (!value.is_string()) return Wrong("no text \"" + std::string(key) + "\"");
  return value.get<std::string>();
}

Result<int64_t> JsonReader::Int(const json& object, const char* key) const {
  const json& value = Find(object, key);
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > kMax)) {
    return Wrong("no integer \"" + std::string(key) + "\"");
  }
  return value.get<int64_t>();
}

Result<bool> JsonReader::Bool(const json& object, const char* key) const {
  const json& value = Find(object, key);
  if (!value.is_boolean()) return Wrong("no truth value \"" + std::string(key) + "\"");
  return value.get<bool>();
}

Result<float> JsonReader::Float(const json& value) const {
  if (!value.is_number()) return Wrong("no number where one belongs");
  const double number = value.get<double>();
  if (!(std::abs(number) <= std::numeric_limits<float>::max())) {
    return Wrong("a number out of range");
  }
  return static_cast<float>(number);
}

}  // namespace anabranch
