// JSON to and from a Chroma server: any bytes go out, and what comes in may be of any shape.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anabranch {

// As text. Never throws; strings of ours are valid UTF-8.
std::string JsonText(const nlohmann::json& value);

// True if JSON, and Chroma behind it, keeps the bytes as a string: valid UTF-8 without U+0000.
bool IsJsonString(std::string_view bytes);

// The value of a key, in what a server answered: kCorrupt if it is not there or not of its type.
// `server` is for the error. Pointers are into `object`.
class JsonReader {
 public:
  explicit JsonReader(std::string server) : server_(std::move(server)) {}

  Result<const nlohmann::json*> Array(const nlohmann::json& object, const char* key) const;
  Result<const nlohmann::json*> Object(const nlohmann::json& object, const char* key) const;
  Result<std::string> String(const nlohmann::json& object, const char* key) const;
  Result<int64_t> Int(const nlohmann::json& object, const char* key) const;
  Result<bool> Bool(const nlohmann::json& object, const char* key) const;
  // `value` itself: a number within the range of a float.
  Result<float> Float(const nlohmann::json& value) const;

  Failure Wrong(const std::string& fault) const;

 private:
  std::string server_;
};

}  // namespace anabranch
