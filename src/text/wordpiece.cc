#include "text/wordpiece.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "text/bert_normalizer.h"
#include "text/utf8.h"

namespace anabranch {
namespace {

// A longer word is [UNK] as a whole, as in BERT.
constexpr size_t kMaxWordCharacters = 100;
constexpr std::string_view kContinuation = "##";

size_t CountCharacters(std::string_view utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return !ContinuesCharacter(c); }));
}

class VocabularyWordPiece final : public WordPiece {
 public:
  using Ids = std::unordered_map<std::string, int32_t>;
  VocabularyWordPiece(Ids ids, int32_t n_vocab, bool lower_case)
      : ids_(std::move(ids)),
        n_vocab_(n_vocab),
        lower_case_(lower_case),
        unk_(ids_.at("[UNK]")),
        cls_(ids_.at("[CLS]")),
        sep_(ids_.at("[SEP]")) {
    for (const auto& [token, id] : ids_) longest_ = std::max(longest_, token.size());
  }

  std::vector<TokenId> Encode(std::string_view text) const override {
    std::vector<TokenId> pieces;
    for (const std::string& word : BertWords(text, lower_case_)) EncodeWord(word, &pieces);
    return pieces;
  }
  TokenId cls() const override { return cls_; }
  TokenId sep() const override { return sep_; }
  int32_t n_vocab() const override { return n_vocab_; }

 private:
  // The longest piece first; a word that pieces do not make up is [UNK].
  void EncodeWord(std::string_view word, std::vector<TokenId>* pieces) const {
    const size_t before = pieces->size();
    size_t begin = 0;
    if (CountCharacters(word) > kMaxWordCharacters) begin = std::string_view::npos;
    while (begin < word.size()) {
      const std::string prefix(begin > 0 ? kContinuation : "");
      size_t size = std::min(word.size() - begin, longest_);
      auto found = ids_.end();
      for (; size > 0; --size) {
        found = ids_.find(prefix + std::string(word.substr(begin, size)));
        if (found != ids_.end()) break;
      }
      if (found == ids_.end()) break;
      pieces->push_back(TokenId(found->second));
      begin += size;
    }
    if (begin == word.size()) return;
    pieces->resize(before);
    pieces->push_back(unk_);
  }

  Ids ids_;
  int32_t n_vocab_;
  bool lower_case_;
  TokenId unk_, cls_, sep_;
  size_t longest_ = 0;
};

}  // namespace

Result<std::unique_ptr<WordPiece>> WordPiece::Create(std::string_view vocab, bool lower_case) {
  VocabularyWordPiece::Ids ids;
  int32_t n_vocab = 0;
  while (!vocab.empty()) {
    const size_t end = std::min(vocab.find('\n'), vocab.size());
    std::string_view token = vocab.substr(0, end);
    if (token.ends_with('\r')) token.remove_suffix(1);
    ids[std::string(token)] = n_vocab++;  // of a token that stands twice the last id, as in BERT
    vocab.remove_prefix(std::min(end + 1, vocab.size()));
  }
  for (const char* special : {"[UNK]", "[CLS]", "[SEP]"}) {
    if (ids.count(special) != 0) continue;
    return Fail(ErrorKind::kInvalid, "vocab.txt", fmt::format("it has no token {}", special),
                "use the vocab.txt of a BERT model");
  }
  return std::make_unique<VocabularyWordPiece>(std::move(ids), n_vocab, lower_case);
}

std::vector<TokenId> WordPiece::EncodeForModel(std::string_view text, size_t max_len) const {
  std::vector<TokenId> ids = {cls()};
  const std::vector<TokenId> pieces = Encode(text);
  ids.insert(ids.end(), pieces.begin(), pieces.end());
  ids.resize(std::min(ids.size(), max_len > 0 ? max_len - 1 : 0));
  if (max_len > 0) ids.push_back(sep());
  return ids;
}

}  // namespace anabranch
