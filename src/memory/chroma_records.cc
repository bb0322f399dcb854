#include "memory/chroma_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "text/base64.h"

namespace anabranch {
namespace {

using nlohmann::json;

// Little-endian float32 in base64: a third of what digits take, and the very bits.
std::string EncodeVector(const std::vector<float>& vector) {
  std::string bytes;
  bytes.reserve(vector.size() * 4);
  for (const float value : vector) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 255);
  }
  return Base64Encode(bytes);
}

Result<UnitId> ReadId(const json& value, const JsonReader& read) {
  if (!value.is_string()) return read.Wrong("an id that is no text");
  const auto& text = value.get_ref<const std::string&>();
  uint64_t id = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (fault != std::errc() || RecordId(UnitId(id)) != text) {
    return read.Wrong("an id that is not 16 hex digits");
  }
  return UnitId(id);
}

// The only list of an answer to one query.
Result<const json*> ListOf(const json& answer, const char* key, size_t size,
                           const JsonReader& read) {
  ASSIGN_OR_RETURN(const json* lists, read.Array(answer, key));
  if (lists->size() != 1 || !lists->front().is_array() || lists->front().size() != size) {
    return read.Wrong(fmt::format("its \"{}\" are not one list as long as its \"ids\"", key));
  }
  return &lists->front();
}

Result<bool> Passes(const json& metadata, const UnitFilter& filter, const JsonReader& read) {
  ASSIGN_OR_RETURN(const bool question, read.Bool(metadata, "question"));
  ASSIGN_OR_RETURN(const int64_t end, read.Int(metadata, "end"));
  return question == filter.questions && StreamPos(end) <= filter.before;
}

// Chroma's cosine distance is 1 - cosine, in float32: exact to about 1e-7.
Result<float> ReadCosine(const json& distance, const JsonReader& read) {
  constexpr float kRounding = 1e-3f;
  ASSIGN_OR_RETURN(const float value, read.Float(distance));
  if (value < -kRounding || value > 2 + kRounding) {
    return read.Wrong(fmt::format("{} is no cosine distance", value));
  }
  return std::clamp(1 - value, -1.0f, 1.0f);
}

}  // namespace

std::string RecordId(UnitId id) { return fmt::format("{:016x}", id.value()); }

json RecordIds(std::span<const UnitId> ids) {
  json list = json::array();
  for (const UnitId id : ids) list.push_back(RecordId(id));
  return list;
}

std::string UpsertBody(std::span<const RemoteUnit> units) {
  json ids = json::array(), embeddings = json::array(), documents = json::array(),
       metadatas = json::array();
  for (const RemoteUnit& unit : units) {
    const bool as_text = IsJsonString(unit.text);
    ids.push_back(RecordId(unit.id));
    embeddings.push_back(EncodeVector(unit.vector));
    documents.push_back(as_text ? unit.text : "");
    metadatas.push_back({{"text_begin", unit.text_begin},
                         {"text_end", unit.text_end},
                         {"begin", unit.span.begin.value()},
                         {"end", unit.span.end.value()},
                         {"turn", unit.turn},
                         {"role", RoleName(unit.role)},
                         {"question", unit.question},
                         {"time_ms", unit.time_ms},
                         {"text_b64", as_text ? json() : json(Base64Encode(unit.text))}});
  }
  return JsonText({{"ids", std::move(ids)},
                   {"embeddings", std::move(embeddings)},
                   {"documents", std::move(documents)},
                   {"metadatas", std::move(metadatas)}});
}

json WhereFilter(const UnitFilter& filter) {
  return {{"$and",
           {{{"question", {{"$eq", filter.questions}}}},
            {{"end", {{"$lte", filter.before.value()}}}}}}};
}

json QueryBody(std::span<const float> query, size_t n, const UnitFilter* filter) {
  json body = {{"query_embeddings", json::array({json(query)})},
               {"n_results", n},
               {"include", {"distances"}}};
  if (filter == nullptr) {
    body["include"].push_back("metadatas");
  } else {
    body["where"] = WhereFilter(*filter);
  }
  return body;
}

Result<std::vector<RemoteHit>> ReadHits(const json& answer, const UnitFilter* filter,
                                        const JsonReader& read, size_t* n_found) {
  ASSIGN_OR_RETURN(const json* id_lists, read.Array(answer, "ids"));
  if (id_lists->size() != 1 || !id_lists->front().is_array()) {
    return read.Wrong("its \"ids\" are not one list");
  }
  const json& ids = id_lists->front();
  ASSIGN_OR_RETURN(const json* distances, ListOf(answer, "distances", ids.size(), read));
  const json* metadatas = nullptr;
  if (filter != nullptr) {
    ASSIGN_OR_RETURN(metadatas, ListOf(answer, "metadatas", ids.size(), read));
  }
  *n_found = ids.size();
  std::vector<RemoteHit> hits;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (filter != nullptr) {
      ASSIGN_OR_RETURN(const bool passes, Passes((*metadatas)[i], *filter, read));
      if (!passes) continue;
    }
    RemoteHit hit;
    ASSIGN_OR_RETURN(hit.id, ReadId(ids[i], read));
    ASSIGN_OR_RETURN(hit.cosine, ReadCosine((*distances)[i], read));
    hits.push_back(hit);
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const RemoteHit& a, const RemoteHit& b) { return a.cosine > b.cosine; });
  return hits;
}

Result<std::vector<UnitId>> ReadIds(const json& answer, const JsonReader& read) {
  ASSIGN_OR_RETURN(const json* list, read.Array(answer, "ids"));
  std::vector<UnitId> ids;
  for (const json& value : *list) {
    ASSIGN_OR_RETURN(const UnitId id, ReadId(value, read));
    ids.push_back(id);
  }
  return ids;
}

Result<std::vector<RemoteVector>> ReadVectors(const json& answer, int32_t width,
                                              const JsonReader& read) {
  ASSIGN_OR_RETURN(const std::vector<UnitId> ids, ReadIds(answer, read));
  ASSIGN_OR_RETURN(const json* embeddings, read.Array(answer, "embeddings"));
  if (embeddings->size() != ids.size()) return read.Wrong("not one vector for each id");
  std::vector<RemoteVector> vectors;
  for (size_t i = 0; i < ids.size(); ++i) {
    const json& values = (*embeddings)[i];
    if (!values.is_array() || values.size() != static_cast<size_t>(width)) {
      return read.Wrong(
          fmt::format("the vector of {} has not {} numbers", RecordId(ids[i]), width));
    }
    RemoteVector vector{ids[i], {}};
    for (const json& value : values) {
      ASSIGN_OR_RETURN(const float number, read.Float(value));
      vector.vector.push_back(number);
    }
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

}  // namespace anabranch
