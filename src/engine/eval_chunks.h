// The seed's retriever, as the arm that recall is compared with: the stream's text, cut hard into
// chunks of so many tokens wherever they end, each embedded; the chunks nearest to the whole turn.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "memory/memory.h"
#include "text/tokenizer.h"

namespace anabranch {

class HardChunks {
 public:
  static Result<HardChunks> Create(std::string_view text, int32_t chunk_size,
                                   const Tokenizer& tokenizer, const EmbedderHandle& embedder);

  // As many as fit into `budget` tokens, in stream order. Their spans count tokens of the text.
  Result<RecallResult> Recall(std::string_view turn, int32_t budget);

 private:
  std::vector<Passage> chunks_;
  std::vector<float> vectors_;
  int32_t chunk_size_ = 0;
  EmbedderHandle embedder_;
};

}  // namespace anabranch
