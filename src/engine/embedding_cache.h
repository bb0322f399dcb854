// An embedder that remembers what it embedded, for evaluations that ask the same in many ways.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "memory/memory.h"

namespace anabranch {

class EmbeddingCache {
 public:
  explicit EmbeddingCache(EmbedderHandle embedder) : embedder_(std::move(embedder)) {}

  // Valid while this lives.
  EmbedderHandle Handle();
  // The time that embedding took once, of all that was not embedded again since the last call.
  double TakeSavedMs();

 private:
  struct Entry {
    std::vector<float> vector;
    double ms = 0;
  };
  Result<void> Embed(std::span<const std::string_view> texts, std::span<float> vectors);
  Result<void> Add(std::span<const std::string_view> texts);

  EmbedderHandle embedder_;
  std::unordered_map<std::string, Entry> entries_;
  double saved_ms_ = 0;
};

}  // namespace anabranch
