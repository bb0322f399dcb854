#include "text/tokenizer.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "text/align.h"
#include "text/byte_alphabet.h"
#include "text/byte_level_bpe.h"
#include "text/sentence_piece.h"
#include "text/vocabulary.h"

namespace anabranch {
namespace {

using Model = std::variant<ByteLevelBpe, SentencePiece>;

constexpr std::string_view kVisibleSpace = "\xE2\x96\x81";

std::string WithPlainSpaces(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (text.substr(0, kVisibleSpace.size()) == kVisibleSpace) {
      plain += ' ';
      text.remove_prefix(kVisibleSpace.size());
    } else {
      plain += text[0];
      text.remove_prefix(1);
    }
  }
  return plain;
}

// "<0x0A>"
std::optional<char> ByteOfToken(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
  const size_t high = kDigits.find(text[3]), low = kDigits.find(text[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high << 4 | low);
}

// The bytes that a token adds to a text.
std::string BytesOfToken(TokenType type, const std::string& text, bool byte_level) {
  switch (type) {
    case TokenType::kUserDefined:
      return text;
    case TokenType::kByte:
      if (const auto byte = ByteOfToken(text)) return {*byte};
      return "";
    case TokenType::kNormal:
      return byte_level ? BytesOfSpelling(text).value_or(text) : WithPlainSpaces(text);
    case TokenType::kUnknown:
    case TokenType::kControl:
    case TokenType::kUnused:
      break;
  }
  return "";
}

class VocabularyTokenizer final : public Tokenizer {
 public:
  VocabularyTokenizer(const TokenizerSpec& spec, Vocabulary vocabulary, Model model)
      : vocabulary_(std::move(vocabulary)), model_(std::move(model)), add_bos_(spec.add_bos) {
    const bool byte_level = std::holds_alternative<ByteLevelBpe>(model_);
    puts_space_first_ = !byte_level && spec.add_space_prefix;
    if (spec.bos) bos_ = TokenId(*spec.bos);
    if (spec.eos) eos_ = TokenId(*spec.eos);
    bytes_.reserve(spec.tokens.size());
    for (int32_t i = 0; i < vocabulary_.size(); ++i) {
      const TokenId id(i);
      bytes_.push_back(BytesOfToken(vocabulary_.Type(id), vocabulary_.Text(id), byte_level));
    }
  }

  std::vector<TokenId> Encode(std::string_view text) const override {
    return EncodeFragments(text, false, puts_space_first_);
  }
  std::vector<TokenId> EncodeTemplate(std::string_view text) const override {
    if (puts_space_first_ && text.ends_with(' ')) text.remove_suffix(1);
    const bool goes_on = text.starts_with(' ') || text.starts_with('\n');
    return EncodeFragments(text, true, puts_space_first_ && !goes_on);
  }
  std::vector<TokenId> EncodeAfter(std::string_view before, std::string_view text) const override {
    bool space_first = puts_space_first_;
    if (space_first && !before.empty() && !before.ends_with(' ')) {
      const std::vector<Fragment> fragments = vocabulary_.Partition(before, true);
      space_first = fragments.back().token.has_value();
    }
    return EncodeFragments(text, false, space_first);
  }

  std::string_view TokenBytes(TokenId id) const override {
    static_cast<void>(vocabulary_.Text(id));
    return bytes_[static_cast<size_t>(id.value())];
  }
  std::string_view TokenText(TokenId id) const override { return vocabulary_.Text(id); }
  std::optional<TokenId> FindSpecial(std::string_view text) const override {
    const auto id = vocabulary_.Find(text);
    if (!id) return std::nullopt;
    const TokenType type = vocabulary_.Type(*id);
    const bool special = type == TokenType::kControl || type == TokenType::kUserDefined ||
                         type == TokenType::kUnknown;
    return special ? id : std::nullopt;
  }

  int32_t n_vocab() const override { return vocabulary_.size(); }
  std::optional<TokenId> bos() const override { return bos_; }
  std::optional<TokenId> eos() const override { return eos_; }
  bool add_bos() const override { return add_bos_; }
  bool IsEndOfTurn(TokenId id) const override { return vocabulary_.IsEndOfTurn(id); }

 private:
  bool puts_space_first() const override { return puts_space_first_; }

  std::vector<TokenId> EncodeFragments(std::string_view text, bool special,
                                       bool space_first) const {
    std::vector<TokenId> ids;
    for (const Fragment& fragment : vocabulary_.Partition(text, special)) {
      if (fragment.token) {
        ids.push_back(*fragment.token);
        space_first = puts_space_first_;
        continue;
      }
      std::string spaced(space_first ? " " : "");
      spaced += fragment.text;
      std::visit([&](const auto& model) { model.Encode(spaced, vocabulary_, &ids); }, model_);
      space_first = false;
    }
    return ids;
  }

  Vocabulary vocabulary_;
  Model model_;
  std::vector<std::string> bytes_;
  std::optional<TokenId> bos_, eos_;
  bool add_bos_, puts_space_first_ = false;
};

Result<Model> CreateModel(const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  if (spec.model == "gpt2") {
    ASSIGN_OR_RETURN(ByteLevelBpe model, ByteLevelBpe::Create(spec, vocabulary));
    return Model(std::move(model));
  }
  if (spec.model == "llama") {
    ASSIGN_OR_RETURN(SentencePiece model, SentencePiece::Create(spec, vocabulary));
    return Model(std::move(model));
  }
  return Fail(ErrorKind::kUnsupported, fmt::format("tokenizer model \"{}\"", spec.model),
              "it is not known here", "known are gpt2 and llama");
}

}  // namespace

std::string Tokenizer::Decode(std::span<const TokenId> ids) const {
  std::string text;
  for (const TokenId id : ids) text += TokenBytes(id);
  if (puts_space_first() && !ids.empty() && TokenBytes(ids[0]).starts_with(' ')) text.erase(0, 1);
  return text;
}

std::vector<uint32_t> Tokenizer::TokenEnds(std::span<const TokenId> ids,
                                           std::string_view text) const {
  std::string bytes;
  std::vector<uint32_t> ends;
  ends.reserve(ids.size());
  for (const TokenId id : ids) {
    bytes += TokenBytes(id);
    ends.push_back(static_cast<uint32_t>(bytes.size()));
  }
  if (bytes != text) {
    const std::vector<uint32_t> places = AlignBytes(bytes, text);
    for (uint32_t& end : ends) end = places[end];
  }
  if (!ends.empty()) ends.back() = static_cast<uint32_t>(text.size());
  return ends;
}

Result<std::unique_ptr<Tokenizer>> CreateTokenizer(TokenizerSpec spec) {
  if (spec.add_bos && !spec.bos) {
    return Fail(ErrorKind::kInvalid, "tokenizer", "a BOS token is to be added, but none is named",
                "use a file that names one");
  }
  ASSIGN_OR_RETURN(Vocabulary vocabulary, Vocabulary::Create(spec));
  ASSIGN_OR_RETURN(Model model, CreateModel(spec, vocabulary));
  return std::make_unique<VocabularyTokenizer>(spec, std::move(vocabulary), std::move(model));
}

}  // namespace anabranch
