#include "text/vocabulary.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/check.h"

namespace anabranch {
namespace {

// Tokens that end a turn in the formats we know, and tokens of code completion: control tokens,
// whatever type a file gives them (many give a wrong one). The lists are llama.cpp's.
constexpr auto kEndOfTurnTokens = std::to_array<std::string_view>({
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<｜end▁of▁sentence｜>",
    // Padding and separators between files: a chat is over there too.
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "[PAD]",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<REPO>",
    "<reponame>",
    "<|file_sep|>",
});
constexpr auto kCompletionTokens = std::to_array<std::string_view>({
    "<|fim_prefix|>",
    "<fim-prefix>",
    "<fim_prefix>",
    "<｜fim▁begin｜>",
    "<PRE>",
    "▁<PRE>",
    "<|fim_suffix|>",
    "<fim-suffix>",
    "<fim_suffix>",
    "<｜fim▁hole｜>",
    "<SUF>",
    "▁<SUF>",
    "<|fim_middle|>",
    "<fim-middle>",
    "<fim_middle>",
    "<｜fim▁end｜>",
    "<MID>",
    "▁<MID>",
});

template <size_t n>
bool Contains(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Failure Invalid(std::string fault) {
  return Fail(ErrorKind::kInvalid, "tokenizer", std::move(fault),
              "use a file with a complete vocabulary");
}

}  // namespace

Result<Vocabulary> Vocabulary::Create(const TokenizerSpec& spec) {
  const size_t n = spec.tokens.size();
  if (n == 0) return Invalid("the vocabulary is empty");
  if (n > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return Invalid(fmt::format("{} tokens are more than ids can count", n));
  }
  if (!spec.types.empty() && spec.types.size() != n) {
    return Invalid(fmt::format("{} tokens have {} types", n, spec.types.size()));
  }
  const std::pair<const char*, std::optional<int32_t>> special_ids[] = {
      {"bos", spec.bos}, {"eos", spec.eos}, {"unk", spec.unk}, {"eot", spec.eot}};
  for (const auto& [name, id] : special_ids) {
    if (id && (*id < 0 || static_cast<size_t>(*id) >= n)) {
      return Invalid(fmt::format("the {} token is {}, but the ids end at {}", name, *id, n - 1));
    }
  }

  Vocabulary vocabulary;
  vocabulary.tokens_ = spec.tokens;
  vocabulary.types_.resize(n, TokenType::kNormal);
  vocabulary.ends_turn_.resize(n, false);
  vocabulary.ids_.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    std::string& text = vocabulary.tokens_[i];
    if (text.empty()) text = fmt::format("[EMPTY_{}]", i);
    const auto id = static_cast<int32_t>(i);
    const auto [other, is_new] = vocabulary.ids_.emplace(text, id);
    if (!is_new) return Invalid(fmt::format("tokens {} and {} are the same", other->second, i));

    TokenType& type = vocabulary.types_[i];
    if (!spec.types.empty()) {
      if (spec.types[i] < 0 || spec.types[i] > static_cast<int32_t>(TokenType::kByte)) {
        return Invalid(fmt::format("token {} has the unknown type {}", i, spec.types[i]));
      }
      type = static_cast<TokenType>(spec.types[i]);
    }
    vocabulary.ends_turn_[i] = id == spec.eos || id == spec.eot || Contains(kEndOfTurnTokens, text);
    if (Contains(kEndOfTurnTokens, text) || Contains(kCompletionTokens, text)) {
      type = TokenType::kControl;
    }
    if (type == TokenType::kControl || type == TokenType::kUnknown ||
        type == TokenType::kUserDefined) {
      vocabulary.whole_tokens_.push_back(TokenId(id));
    }
  }
  std::stable_sort(
      vocabulary.whole_tokens_.begin(), vocabulary.whole_tokens_.end(),
      [&](TokenId a, TokenId b) { return vocabulary.Text(a).size() > vocabulary.Text(b).size(); });
  return vocabulary;
}

size_t Vocabulary::Index(TokenId id) const {
  ANABRANCH_CHECK(id.value() >= 0 && id.value() < size());
  return static_cast<size_t>(id.value());
}

std::optional<TokenId> Vocabulary::Find(std::string_view text) const {
  const auto found = ids_.find(text);
  if (found == ids_.end()) return std::nullopt;
  return TokenId(found->second);
}

std::optional<TokenId> Vocabulary::FindPlain(std::string_view text) const {
  const auto id = Find(text);
  if (!id || Type(*id) == TokenType::kControl || Type(*id) == TokenType::kUnknown) {
    return std::nullopt;
  }
  return id;
}

std::vector<Fragment> Vocabulary::Partition(std::string_view text, bool special) const {
  std::vector<Fragment> fragments;
  if (!text.empty()) fragments.push_back({text, std::nullopt});
  for (const TokenId id : whole_tokens_) {
    if (!special && Type(id) != TokenType::kUserDefined) continue;
    const std::string_view spelling = Text(id);
    if (text.find(spelling) == std::string_view::npos) continue;
    std::vector<Fragment> parts;
    for (const Fragment& fragment : fragments) {
      if (fragment.token) {
        parts.push_back(fragment);
        continue;
      }
      std::string_view rest = fragment.text;
      for (size_t at; (at = rest.find(spelling)) != std::string_view::npos;) {
        if (at > 0) parts.push_back({rest.substr(0, at), std::nullopt});
        parts.push_back({rest.substr(at, spelling.size()), id});
        rest.remove_prefix(at + spelling.size());
      }
      if (!rest.empty()) parts.push_back({rest, std::nullopt});
    }
    fragments = std::move(parts);
  }
  return fragments;
}

}  // namespace anabranch
