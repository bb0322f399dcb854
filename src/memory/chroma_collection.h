// A stream's collection in Chroma: its name, and what its metadata say of the stream.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "memory/chroma_json.h"
#include "memory/remote_store.h"

namespace anabranch {

struct ChromaCollection {
  std::string id;  // a UUID; another one each time that a collection of this name is made
  std::string space;
  RemoteStreamInfo stream;
};

// "ab-" and the hash of the stream's name in hex: Chroma takes few characters, and 512 of them.
std::string CollectionName(const std::string& stream);

// The body that creates a stream's collection, or finds it.
nlohmann::json CreateCollectionBody(const RemoteStreamInfo& stream);

// A collection as a server describes it. nullopt: it is none of ours. Error kCorrupt: it is of our
// making, but damaged.
Result<std::optional<ChromaCollection>> ReadCollection(const nlohmann::json& answer,
                                                       const JsonReader& read);

// Error kInvalid, which names both, where a collection was made for another embedder, cutter or
// tokenizer, or with another distance: Chroma gives what is there, whatever is asked for.
Result<void> CheckCollection(const ChromaCollection& collection, const RemoteStreamInfo& wanted,
                             const std::string& server);

}  // namespace anabranch
