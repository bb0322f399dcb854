#include "engine/tokenizer_spec.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace anabranch {
namespace {

// The value; nullopt if the file has no such key.
template <typename T>
Result<std::optional<T>> IfThere(Result<T> value) {
  if (value) return std::optional<T>(*std::move(value));
  if (value.error().kind == ErrorKind::kNotFound) return std::optional<T>();
  return tl::make_unexpected(std::move(value).error());
}

Result<std::optional<int32_t>> ReadId(const GgufFile& file, const std::string& key) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> id, IfThere(file.Int(key)));
  if (!id) return std::optional<int32_t>();
  if (*id < 0 || *id > std::numeric_limits<int32_t>::max()) {
    return Fail(ErrorKind::kCorrupt, file.path(), key + " is no token id", "get the file again");
  }
  return static_cast<int32_t>(*id);
}

}  // namespace

Result<TokenizerSpec> ReadTokenizerSpec(const GgufFile& file) {
  const std::string prefix = "tokenizer.ggml.";
  TokenizerSpec spec;
  ASSIGN_OR_RETURN(spec.model, file.String(prefix + "model"));
  ASSIGN_OR_RETURN(const auto tokens, file.Strings(prefix + "tokens"));
  spec.tokens.assign(tokens.begin(), tokens.end());
  const bool sentence_piece = spec.model == "llama";

  ASSIGN_OR_RETURN(const auto pre, IfThere(file.String(prefix + "pre")));
  spec.pre = pre.value_or("default");
  ASSIGN_OR_RETURN(const auto scores, IfThere(file.Floats(prefix + "scores")));
  for (const double score : scores.value_or(std::span<const double>())) {
    spec.scores.push_back(static_cast<float>(score));
  }
  ASSIGN_OR_RETURN(const auto types, IfThere(file.Ints(prefix + "token_type")));
  for (const int64_t type : types.value_or(std::span<const int64_t>())) {
    // What is beyond int32 is no type either: 0 is refused with the token's number.
    const bool fits = type >= 0 && type <= std::numeric_limits<int32_t>::max();
    spec.types.push_back(fits ? static_cast<int32_t>(type) : 0);
  }
  ASSIGN_OR_RETURN(const auto merges, IfThere(file.Strings(prefix + "merges")));
  if (merges) spec.merges.assign(merges->begin(), merges->end());

  ASSIGN_OR_RETURN(spec.bos, ReadId(file, prefix + "bos_token_id"));
  ASSIGN_OR_RETURN(spec.eos, ReadId(file, prefix + "eos_token_id"));
  ASSIGN_OR_RETURN(spec.unk, ReadId(file, prefix + "unknown_token_id"));
  ASSIGN_OR_RETURN(spec.eot, ReadId(file, prefix + "eot_token_id"));
  if (sentence_piece) {
    if (!spec.bos) spec.bos = 1;
    if (!spec.eos) spec.eos = 2;
    if (!spec.unk) spec.unk = 0;
  }
  ASSIGN_OR_RETURN(const auto add_bos, IfThere(file.Bool(prefix + "add_bos_token")));
  spec.add_bos = add_bos.value_or(sentence_piece || spec.pre == "llama-bpe");
  ASSIGN_OR_RETURN(const auto add_space, IfThere(file.Bool(prefix + "add_space_prefix")));
  spec.add_space_prefix = add_space.value_or(true);
  return spec;
}

}  // namespace anabranch
