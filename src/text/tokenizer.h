// Text to token ids and back: byte-level BPE, SentencePiece-style BPE, and WordPiece.
//
// Text of users is never parsed for special tokens: Encode("<|im_end|>") gives the tokens of those
// characters. Only EncodeTemplate, which chat templates call on their own text, sees them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/types.h"
#include "base/result.h"

namespace anabranch {

// GGUF's token types.
enum class TokenType : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

// What a GGUF file says about its tokenizer (tokenizer.ggml.*), as plain data.
struct TokenizerSpec {
  std::string model;  // "gpt2" (byte-level BPE) or "llama" (SentencePiece-style)
  std::string pre;    // of gpt2: smollm, gpt-2, llama-bpe, qwen2, default
  std::vector<std::string> tokens;
  std::vector<float> scores;        // of llama: one per token
  std::vector<int32_t> types;       // TokenType; empty: all normal
  std::vector<std::string> merges;  // of gpt2: "left right", best first
  std::optional<int32_t> bos, eos, unk, eot;
  bool add_bos = false, add_space_prefix = true;
};

// Immutable after creation; any thread may call any method.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Ids of plain text (any bytes; invalid UTF-8 included). No BOS, no special tokens.
  virtual std::vector<TokenId> Encode(std::string_view text) const = 0;
  // Ids of template text, in which the vocabulary's special tokens are recognised.
  virtual std::vector<TokenId> EncodeTemplate(std::string_view text) const = 0;
  // Ids of plain text that stands behind template text, as if both were encoded as one. Only a
  // SentencePiece that puts a space first tells it from Encode: it does so behind a special token,
  // and takes a space that ends `before`, which EncodeTemplate has left to it.
  virtual std::vector<TokenId> EncodeAfter(std::string_view before,
                                           std::string_view text) const = 0;
  // The bytes that a token adds to a text; empty for control tokens. May be half a character.
  virtual std::string_view TokenBytes(TokenId id) const = 0;
  // The vocabulary's own spelling of a token, for people.
  virtual std::string_view TokenText(TokenId id) const = 0;
  virtual std::optional<TokenId> FindSpecial(std::string_view text) const = 0;

  virtual int32_t n_vocab() const = 0;
  virtual std::optional<TokenId> bos() const = 0;
  virtual std::optional<TokenId> eos() const = 0;
  virtual bool add_bos() const = 0;
  // True of every token that ends an answer: eos, eot, <|im_end|>, <end_of_turn>, …
  virtual bool IsEndOfTurn(TokenId id) const = 0;

  // All the bytes of the tokens (of SentencePiece: without the space that Encode put first).
  std::string Decode(std::span<const TokenId> ids) const;
  // Where each token's bytes end in `text` (byte offsets, not decreasing, the last one
  // text.size()): exact where the tokens' bytes are the text's, else (a space put first, U+FFFD for
  // bytes that are not UTF-8, bytes that the vocabulary lacks) the closest fit.
  std::vector<uint32_t> TokenEnds(std::span<const TokenId> ids, std::string_view text) const;

 protected:
  // True of a SentencePiece whose texts begin with a space that is not theirs.
  virtual bool puts_space_first() const = 0;
};

// Errors: an unknown model or pre-tokenizer, an empty vocabulary, a token that stands in it twice,
// lists of different lengths, a merge or id that does not exist.
Result<std::unique_ptr<Tokenizer>> CreateTokenizer(TokenizerSpec spec);

}  // namespace anabranch
