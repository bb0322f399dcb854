// TokenizerFile: a model's tokenizer without its weights.
#include <fmt/format.h>

#include <utility>

#include "anabranch/engine.h"
#include "base/result.h"
#include "engine/tokenizer_spec.h"
#include "io/gguf.h"
#include "text/tokenizer.h"

namespace anabranch {
namespace {

class GgufTokenizerFile final : public TokenizerFile {
 public:
  explicit GgufTokenizerFile(std::unique_ptr<Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}

  std::vector<TokenId> Encode(std::string_view text) const override {
    return tokenizer_->Encode(text);
  }
  std::vector<TokenId> EncodeTemplate(std::string_view text) const override {
    return tokenizer_->EncodeTemplate(text);
  }
  Result<std::string> Decode(std::span<const TokenId> ids) const override {
    for (const TokenId id : ids) {
      if (id.value() < 0 || id.value() >= tokenizer_->n_vocab()) {
        return Fail(ErrorKind::kInvalid, fmt::format("token {}", id.value()),
                    fmt::format("is not in the vocabulary of {} tokens", tokenizer_->n_vocab()),
                    "give ids of this model");
      }
    }
    return tokenizer_->Decode(ids);
  }
  std::string TokenText(TokenId id) const override {
    return std::string(tokenizer_->TokenText(id));
  }

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace

Result<std::unique_ptr<TokenizerFile>> TokenizerFile::Open(const std::string& gguf_path) {
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(gguf_path));
  ASSIGN_OR_RETURN(TokenizerSpec spec, ReadTokenizerSpec(file));
  ASSIGN_OR_RETURN(auto tokenizer, CreateTokenizer(std::move(spec)));
  return std::unique_ptr<TokenizerFile>(new GgufTokenizerFile(std::move(tokenizer)));
}

}  // namespace anabranch
