#include "memory/export_format.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "text/base64.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

using Json = nlohmann::ordered_json;

// By RecordKind.
constexpr std::array<std::string_view, 6> kKinds = {"text", "template",  "gap",
                                                    "lost", "forgotten", "interrupted"};
static_assert(kKinds.size() == static_cast<size_t>(kLastRecordKind) + 1);

// Bytes under `key`, or under `key`_b64 if they are no UTF-8.
void PutBytes(Json& object, const std::string& key, std::string_view bytes) {
  if (IsValidUtf8(bytes)) {
    object[key] = bytes;
  } else {
    object[key + "_b64"] = Base64Encode(bytes);
  }
}

struct Format {
  Json operator()(const ExportHeader& header) const {
    return {{"type", "anabranch-export"}, {"version", header.version}};
  }
  Json operator()(const ExportStream& stream) const {
    Json object = {{"type", "stream"}};
    PutBytes(object, "stream", stream.name);
    PutBytes(object, "tokenizer", stream.tokenizer);
    return object;
  }
  Json operator()(const StoredRecord& stored) const {
    const JournalRecord& record = stored.record;
    Json object = {{"type", "record"},
                   {"begin", record.begin.value()},
                   {"end", stored.end.value()},
                   {"turn", record.turn},
                   {"role", RoleName(record.role)},
                   {"kind", kKinds[static_cast<size_t>(record.kind)]},
                   {"time_ms", record.time_ms},
                   {"text_begin", stored.text_begin}};
    if (!IsMissing(record.kind)) {
      Json& ids = object["ids"] = Json::array();
      for (const TokenId id : record.ids) ids.push_back(id.value());
    }
    if (record.kind == RecordKind::kText) {
      object["token_ends"] = record.token_ends;
      PutBytes(object, "text", record.bytes);
    }
    if (!record.source_cursor.empty()) PutBytes(object, "source", record.source_cursor);
    return object;
  }
  Json operator()(const ExportEnd& end) const {
    return {{"type", "end"}, {"records", end.records}};
  }
};

Failure Wrong(std::string fault) { return Fail(ErrorKind::kCorrupt, "", std::move(fault)); }

// Reads the members of one object: what is not asked for is unknown.
class Reader {
 public:
  explicit Reader(Json object) : object_(std::move(object)) {}

  bool Has(const std::string& key) const { return object_.contains(key); }

  Result<int64_t> Integer(const std::string& key, int64_t low, int64_t high) {
    ASSIGN_OR_RETURN(const Json* value, Find(key));
    return IntegerOf(*value, key, low, high);
  }

  Result<std::string> Text(const std::string& key) {
    ASSIGN_OR_RETURN(const Json* value, Find(key));
    if (!value->is_string()) return Wrong(fmt::format("\"{}\" is no text", key));
    return value->get<std::string>();
  }

  Result<std::string> Bytes(const std::string& key) {
    if (!Has(key + "_b64")) return Text(key);
    ASSIGN_OR_RETURN(const std::string encoded, Text(key + "_b64"));
    const std::optional<std::string> bytes = Base64Decode(encoded);
    if (!bytes) return Wrong(fmt::format("\"{}_b64\" is no base64", key));
    return *bytes;
  }

  template <typename Int>
  Result<std::vector<Int>> Integers(const std::string& key) {
    ASSIGN_OR_RETURN(const Json* value, Find(key));
    if (!value->is_array()) return Wrong(fmt::format("\"{}\" is no array", key));
    constexpr int64_t kMost = std::numeric_limits<Int>::max();
    std::vector<Int> values;
    values.reserve(value->size());
    for (const Json& each : *value) {
      ASSIGN_OR_RETURN(const int64_t number, IntegerOf(each, key, 0, kMost));
      values.push_back(static_cast<Int>(number));
    }
    return values;
  }

  Result<void> AtEnd() const {
    for (const auto& member : object_.items()) {
      if (!asked_.contains(member.key())) {
        return Wrong(fmt::format("\"{}\" is not known here", member.key()));
      }
    }
    return {};
  }

 private:
  Result<const Json*> Find(const std::string& key) {
    const auto found = object_.find(key);
    if (found == object_.end()) return Wrong(fmt::format("\"{}\" is missing", key));
    asked_.insert(key);
    return &*found;
  }

  static Result<int64_t> IntegerOf(const Json& value, const std::string& key, int64_t low,
                                   int64_t high) {
    constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
    const bool fits =
        value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= kMax);
    if (!fits || value.get<int64_t>() < low || value.get<int64_t>() > high) {
      return Wrong(fmt::format("\"{}\" is no integer in [{}, {}]", key, low, high));
    }
    return value.get<int64_t>();
  }

  const Json object_;
  std::set<std::string> asked_;
};

Result<RecordKind> ParseKind(const std::string& name) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (name == kKinds[i]) return static_cast<RecordKind>(i);
  }
  return Wrong("\"kind\" is no kind of record");
}

Result<ExportLine> ParseRecord(Reader& reader) {
  constexpr int64_t kMax = kMaxCoordinate - 1;
  StoredRecord stored;
  JournalRecord& record = stored.record;
  ASSIGN_OR_RETURN(const int64_t begin, reader.Integer("begin", 0, kMax));
  ASSIGN_OR_RETURN(const int64_t end, reader.Integer("end", 0, kMax));
  record.begin = StreamPos(begin);
  stored.end = StreamPos(end);
  ASSIGN_OR_RETURN(record.turn, reader.Integer("turn", 0, kMax));
  ASSIGN_OR_RETURN(const std::string name, reader.Text("role"));
  const std::optional<Role> role = FindRole(name);
  if (!role) return Wrong("\"role\" is none of system, user and assistant");
  record.role = *role;
  ASSIGN_OR_RETURN(const std::string kind, reader.Text("kind"));
  ASSIGN_OR_RETURN(record.kind, ParseKind(kind));
  ASSIGN_OR_RETURN(record.time_ms, reader.Integer("time_ms", std::numeric_limits<int64_t>::min(),
                                                  std::numeric_limits<int64_t>::max()));
  ASSIGN_OR_RETURN(stored.text_begin, reader.Integer("text_begin", 0, kMax));
  if (!IsMissing(record.kind)) {
    ASSIGN_OR_RETURN(const std::vector<int32_t> ids, reader.Integers<int32_t>("ids"));
    for (const int32_t id : ids) record.ids.emplace_back(id);
  }
  if (record.kind == RecordKind::kText) {
    ASSIGN_OR_RETURN(record.token_ends, reader.Integers<uint32_t>("token_ends"));
    ASSIGN_OR_RETURN(record.bytes, reader.Bytes("text"));
  }
  if (reader.Has("source") || reader.Has("source_b64")) {
    ASSIGN_OR_RETURN(record.source_cursor, reader.Bytes("source"));
  }
  std::string fault = RecordFault(record);
  if (!fault.empty()) return Wrong(std::move(fault));
  if (end <= begin || (!IsMissing(record.kind) && record.end() != stored.end)) {
    return Wrong(fmt::format("the record [{}, {}) has {} ids", begin, end, record.ids.size()));
  }
  return stored;
}

Result<ExportLine> ParseMembers(const std::string& type, Reader& reader) {
  if (type == "record") return ParseRecord(reader);
  if (type == "anabranch-export") {
    ASSIGN_OR_RETURN(const int64_t version,
                     reader.Integer("version", 0, std::numeric_limits<int64_t>::max()));
    return ExportHeader{version};
  }
  if (type == "stream") {
    ExportStream stream;
    ASSIGN_OR_RETURN(stream.name, reader.Bytes("stream"));
    ASSIGN_OR_RETURN(stream.tokenizer, reader.Bytes("tokenizer"));
    return stream;
  }
  if (type == "end") {
    ASSIGN_OR_RETURN(const int64_t records,
                     reader.Integer("records", 0, std::numeric_limits<int64_t>::max()));
    return ExportEnd{records};
  }
  return Wrong("\"type\" is none of anabranch-export, stream, record and end");
}

}  // namespace

std::string FormatExportLine(const ExportLine& line) {
  return std::visit(Format(), line).dump() + "\n";
}

Result<ExportLine> ParseExportLine(std::string_view line) {
  Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Wrong("is no JSON object");
  Reader reader(std::move(object));
  ASSIGN_OR_RETURN(const std::string type, reader.Text("type"));
  ASSIGN_OR_RETURN(ExportLine parsed, ParseMembers(type, reader));
  // Members that a later version knows belong to a header of its version.
  if (!std::holds_alternative<ExportHeader>(parsed)) RETURN_IF_ERROR(reader.AtEnd());
  return parsed;
}

}  // namespace anabranch
