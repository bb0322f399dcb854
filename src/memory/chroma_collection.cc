#include "memory/chroma_collection.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <limits>
#include <utility>

#include "memory/stream_info.h"
#include "text/base64.h"

namespace anabranch {
namespace {

using nlohmann::json;

// Key of the version of what this file and chroma_records.cc write.
constexpr const char* kFormatKey = "anabranch";
constexpr int64_t kFormat = 1;

bool IsUuid(const std::string& text) {
  return text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == text.npos;
}

// Tighter than Chroma's 100: with a search of 200, recall@10 was 0.96 of 10,000 vectors of 384 in
// 2,000 clusters, and 1.0 with 800, which takes 1.5 ms longer.
constexpr int kEfConstruction = 200, kEfSearch = 800;
constexpr int kMaxNeighbors = 16;

}  // namespace

std::string CollectionName(const std::string& stream) {
  const XXH128_hash_t hash = XXH3_128bits(stream.data(), stream.size());
  return fmt::format("ab-{:016x}{:016x}", hash.high64, hash.low64);
}

json CreateCollectionBody(const RemoteStreamInfo& stream) {
  const bool as_text = IsJsonString(stream.name);
  return {{"name", CollectionName(stream.name)},
          {"get_or_create", true},
          {"configuration",
           {{"hnsw",
             {{"space", "cosine"},
              {"ef_construction", kEfConstruction},
              {"ef_search", kEfSearch},
              {"max_neighbors", kMaxNeighbors}}}}},
          {"metadata",
           {{kFormatKey, kFormat},
            {as_text ? "stream" : "stream_b64", as_text ? stream.name : Base64Encode(stream.name)},
            {"tokenizer", stream.tokenizer},
            {"embedder", stream.embedder},
            {"width", stream.width},
            {"cutter", stream.cutter}}}};
}

Result<std::optional<ChromaCollection>> ReadCollection(const json& answer, const JsonReader& read) {
  ASSIGN_OR_RETURN(const std::string name, read.String(answer, "name"));
  const auto metadata = answer.find("metadata");
  if (!name.starts_with("ab-") || metadata == answer.end() || !metadata->is_object() ||
      !metadata->contains(kFormatKey)) {
    return std::nullopt;
  }
  ChromaCollection collection;
  ASSIGN_OR_RETURN(collection.id, read.String(answer, "id"));
  if (!IsUuid(collection.id)) return read.Wrong("a collection's id is no UUID");
  ASSIGN_OR_RETURN(const int64_t format, read.Int(*metadata, kFormatKey));
  if (format != kFormat) {
    return Fail(ErrorKind::kUnsupported, "collection " + name,
                fmt::format("its format is {}, and this program knows {}", format, kFormat),
                "use the version of anabranch that made it");
  }
  RemoteStreamInfo& stream = collection.stream;
  if (metadata->contains("stream_b64")) {
    ASSIGN_OR_RETURN(const std::string coded, read.String(*metadata, "stream_b64"));
    std::optional<std::string> bytes = Base64Decode(coded);
    if (!bytes) return read.Wrong("a collection's stream_b64 is no base64");
    stream.name = std::move(*bytes);
  } else {
    ASSIGN_OR_RETURN(stream.name, read.String(*metadata, "stream"));
  }
  if (CollectionName(stream.name) != name) return std::nullopt;  // somebody's copy
  ASSIGN_OR_RETURN(stream.tokenizer, read.String(*metadata, "tokenizer"));
  ASSIGN_OR_RETURN(stream.embedder, read.String(*metadata, "embedder"));
  ASSIGN_OR_RETURN(const int64_t width, read.Int(*metadata, "width"));
  ASSIGN_OR_RETURN(const int64_t cutter, read.Int(*metadata, "cutter"));
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (width < 1 || width > kMax || cutter < 0 || cutter > kMax) {
    return read.Wrong("a collection's width or cutter is out of range");
  }
  stream.width = static_cast<int32_t>(width);
  stream.cutter = static_cast<int32_t>(cutter);

  ASSIGN_OR_RETURN(const json* configuration, read.Object(answer, "configuration_json"));
  // One server has the one index, a cluster of them the other.
  const char* index =
      configuration->contains("hnsw") && (*configuration)["hnsw"].is_object() ? "hnsw" : "spann";
  ASSIGN_OR_RETURN(const json* parameters, read.Object(*configuration, index));
  ASSIGN_OR_RETURN(collection.space, read.String(*parameters, "space"));
  return collection;
}

Result<void> CheckCollection(const ChromaCollection& collection, const RemoteStreamInfo& wanted,
                             const std::string& server) {
  const RemoteStreamInfo& there = collection.stream;
  const auto same = [&](const char* thing, const std::string& is,
                        const std::string& want) -> Result<void> {
    if (is == want) return {};
    return Fail(ErrorKind::kInvalid, server,
                fmt::format("its collection {} was made with {} {}, not {}",
                            CollectionName(wanted.name), thing, is, want),
                "use what it was made with, another stream name, or memory reindex");
  };
  RETURN_IF_ERROR(same("stream", there.name, wanted.name));
  // An older program's collection does not name the template: the local journal does.
  RETURN_IF_ERROR(
      same("tokenizer",
           Continues(there.tokenizer, wanted.tokenizer) ? wanted.tokenizer : there.tokenizer,
           wanted.tokenizer));
  RETURN_IF_ERROR(same("embedder", there.embedder, wanted.embedder));
  RETURN_IF_ERROR(same("vector width", fmt::to_string(there.width), fmt::to_string(wanted.width)));
  RETURN_IF_ERROR(same("cutter", fmt::to_string(there.cutter), fmt::to_string(wanted.cutter)));
  return same("distance", collection.space, "cosine");
}

}  // namespace anabranch
