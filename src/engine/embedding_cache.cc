#include "engine/embedding_cache.h"

#include <algorithm>
#include <utility>

#include "base/wall_clock.h"

namespace anabranch {

EmbedderHandle EmbeddingCache::Handle() {
  EmbedderHandle handle = embedder_;
  handle.embed = [this](std::span<const std::string_view> texts, std::span<float> vectors) {
    return Embed(texts, vectors);
  };
  return handle;
}

double EmbeddingCache::TakeSavedMs() { return std::exchange(saved_ms_, 0); }

Result<void> EmbeddingCache::Embed(std::span<const std::string_view> texts,
                                   std::span<float> vectors) {
  std::vector<std::string_view> missing;
  for (const std::string_view text : texts) {
    const auto entry = entries_.find(std::string(text));
    if (entry == entries_.end()) {
      missing.push_back(text);
    } else {
      saved_ms_ += entry->second.ms;
    }
  }
  RETURN_IF_ERROR(Add(missing));
  const auto width = static_cast<size_t>(embedder_.width);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<float>& vector = entries_.at(std::string(texts[i])).vector;
    std::copy(vector.begin(), vector.end(), vectors.begin() + static_cast<ptrdiff_t>(i * width));
  }
  return {};
}

Result<void> EmbeddingCache::Add(std::span<const std::string_view> texts) {
  if (texts.empty()) return {};
  const auto width = static_cast<size_t>(embedder_.width);
  std::vector<float> vectors(texts.size() * width);
  const Stopwatch watch;
  RETURN_IF_ERROR(embedder_.embed(texts, vectors));
  const double ms = watch.Ms() / static_cast<double>(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto begin = vectors.begin() + static_cast<ptrdiff_t>(i * width);
    entries_[std::string(texts[i])] = {{begin, begin + static_cast<ptrdiff_t>(width)}, ms};
  }
  return {};
}

}  // namespace anabranch
