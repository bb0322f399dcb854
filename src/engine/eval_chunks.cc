#include "engine/eval_chunks.h"

#include <algorithm>
#include <numeric>

#include "base/wall_clock.h"
#include "memory/indexer.h"

namespace anabranch {

Result<HardChunks> HardChunks::Create(std::string_view text, int32_t chunk_size,
                                      const Tokenizer& tokenizer, const EmbedderHandle& embedder) {
  HardChunks chunks;
  chunks.chunk_size_ = chunk_size;
  chunks.embedder_ = embedder;
  const std::vector<uint32_t> ends = tokenizer.TokenEnds(tokenizer.Encode(text), text);
  for (size_t begin = 0; begin < ends.size(); begin += static_cast<size_t>(chunk_size)) {
    const size_t end = std::min(ends.size(), begin + static_cast<size_t>(chunk_size));
    const size_t from = begin == 0 ? 0 : ends[begin - 1];
    Passage chunk;
    chunk.span = {StreamPos(static_cast<int64_t>(begin)), StreamPos(static_cast<int64_t>(end))};
    chunk.text = text.substr(from, ends[end - 1] - from);
    chunks.chunks_.push_back(std::move(chunk));
  }
  std::vector<std::string_view> texts;
  for (const Passage& chunk : chunks.chunks_) texts.push_back(chunk.text);
  ASSIGN_OR_RETURN(chunks.vectors_, EmbedAll(embedder, texts));
  return chunks;
}

Result<RecallResult> HardChunks::Recall(std::string_view turn, int32_t budget) {
  const Stopwatch watch;
  ASSIGN_OR_RETURN(const std::vector<float> query, EmbedAll(embedder_, {&turn, 1}));
  std::vector<float> scores(chunks_.size());
  embedder_.scan(vectors_, query, scores);
  std::vector<size_t> order(chunks_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t k = std::min(order.size(), static_cast<size_t>(std::max(1, budget / chunk_size_)));
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(k), order.end(),
                    [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  RecallResult result;
  result.decision = k > 0 ? RecallDecision::kUsed : RecallDecision::kNone;
  result.best_score = k > 0 ? scores[order[0]] : 0;
  order.resize(k);
  std::sort(order.begin(), order.end());
  for (const size_t i : order) {
    result.passages.push_back(chunks_[i]);
    result.passages.back().score = scores[i];
  }
  result.ms = watch.Ms();
  return result;
}

}  // namespace anabranch
