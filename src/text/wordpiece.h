// WordPiece with BERT's normalisation, for the embedder.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/types.h"
#include "base/result.h"

namespace anabranch {

class WordPiece {
 public:
  // `vocab`: the bytes of vocab.txt, a token per line, the id its line. Errors: [UNK], [CLS] or
  // [SEP] missing, an empty file.
  static Result<std::unique_ptr<WordPiece>> Create(std::string_view vocab, bool lower_case = true);
  virtual ~WordPiece() = default;

  // Pieces without [CLS] and [SEP]. Any bytes; invalid UTF-8 is read as U+FFFD (which BERT drops).
  virtual std::vector<TokenId> Encode(std::string_view text) const = 0;
  // [CLS] pieces [SEP], at most max_len ids.
  std::vector<TokenId> EncodeForModel(std::string_view text, size_t max_len) const;
  virtual TokenId cls() const = 0;
  virtual TokenId sep() const = 0;
  virtual int32_t n_vocab() const = 0;
};

}  // namespace anabranch
