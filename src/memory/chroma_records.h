// Units as records of a Chroma collection, and back: bodies to send and answers to read.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/chroma_json.h"
#include "memory/remote_store.h"

namespace anabranch {

// A record's id: the unit's, as 16 hex digits.
std::string RecordId(UnitId id);
nlohmann::json RecordIds(std::span<const UnitId> ids);

// The body of /upsert. Every key is there each time: Chroma keeps what an upsert does not name.
std::string UpsertBody(std::span<const RemoteUnit> units);

nlohmann::json WhereFilter(const UnitFilter& filter);

// The body of /query for n results: of those that a filter lets pass, or (nullptr) of all, with
// what the filter needs to know of each.
nlohmann::json QueryBody(std::span<const float> query, size_t n, const UnitFilter* filter);
// Its answer, best first. `filter`: as in the body's stead, nullptr where the body had it.
// `n_found`: how many there were before it.
Result<std::vector<RemoteHit>> ReadHits(const nlohmann::json& answer, const UnitFilter* filter,
                                        const JsonReader& read, size_t* n_found);

// The answers of /get.
Result<std::vector<UnitId>> ReadIds(const nlohmann::json& answer, const JsonReader& read);
Result<std::vector<RemoteVector>> ReadVectors(const nlohmann::json& answer, int32_t width,
                                              const JsonReader& read);

}  // namespace anabranch
