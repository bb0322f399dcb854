#include "text/sentence_piece.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <queue>
#include <string>
#include <utility>

namespace anabranch {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

// Bytes of a character by its first one; a byte that begins none stands alone.
size_t CharacterSize(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::string WithVisibleSpaces(std::string_view text) {
  std::string visible;
  visible.reserve(text.size() * 3 / 2);
  for (const char c : text) {
    if (c == ' ') {
      visible += kSpace;
    } else {
      visible += c;
    }
  }
  return visible;
}

// A part of the text, in a doubly linked list; merged into its left neighbour: size 0.
struct Symbol {
  size_t begin, size;
  int32_t prev, next;  // -1: none
};

// Symbols `left` and the one after it, of `size` bytes when this was found.
struct Candidate {
  float score;
  int32_t left, right;
  size_t size;
};

// For std::priority_queue: the best score on top, of equal ones the leftmost.
struct Worse {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.score < b.score || (a.score == b.score && a.left > b.left);
  }
};

Failure Invalid(std::string fault) {
  return Fail(ErrorKind::kInvalid, "tokenizer", std::move(fault),
              "use a file with a complete vocabulary");
}

}  // namespace

Result<SentencePiece> SentencePiece::Create(const TokenizerSpec& spec,
                                            const Vocabulary& vocabulary) {
  if (spec.scores.size() != spec.tokens.size()) {
    return Invalid(fmt::format("{} tokens have {} scores", spec.tokens.size(), spec.scores.size()));
  }
  for (size_t i = 0; i < spec.scores.size(); ++i) {
    if (std::isnan(spec.scores[i])) return Invalid(fmt::format("token {} has no score (NaN)", i));
  }
  SentencePiece model;
  model.scores_ = spec.scores;
  for (size_t byte = 0; byte < 256; ++byte) {
    std::optional<TokenId> id = vocabulary.Find(fmt::format("<0x{:02X}>", byte));
    if (!id) id = vocabulary.Find(std::string(1, static_cast<char>(byte)));
    if (!id && spec.unk) id = TokenId(*spec.unk);
    if (!id) {
      return Invalid(fmt::format("there is no token for byte 0x{:02X} and no unknown token", byte));
    }
    model.byte_ids_[byte] = *id;
  }
  return model;
}

void SentencePiece::Encode(std::string_view plain, const Vocabulary& vocabulary,
                           std::vector<TokenId>* ids) const {
  const std::string text = WithVisibleSpaces(plain);
  const std::string_view view = text;
  std::vector<Symbol> symbols;
  std::priority_queue<Candidate, std::vector<Candidate>, Worse> candidates;
  const auto at = [&](int32_t i) -> Symbol& { return symbols[static_cast<size_t>(i)]; };
  const auto consider = [&](int32_t left, int32_t right) {
    if (left < 0 || right < 0) return;
    const size_t size = at(left).size + at(right).size;
    const auto id = vocabulary.FindPlain(view.substr(at(left).begin, size));
    if (!id) return;
    candidates.push({scores_[static_cast<size_t>(id->value())], left, right, size});
  };

  for (size_t begin = 0; begin < view.size();) {
    const size_t size = std::min(CharacterSize(view[begin]), view.size() - begin);
    const auto i = static_cast<int32_t>(symbols.size());
    symbols.push_back({begin, size, i - 1, begin + size < view.size() ? i + 1 : -1});
    consider(i - 1, i);
    begin += size;
  }
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = at(best.left);
    Symbol& right = at(best.right);
    // Merged meanwhile, one of them at least.
    if (left.size == 0 || right.size == 0 || left.size + right.size != best.size) continue;
    left.size = best.size;
    left.next = right.next;
    if (right.next >= 0) at(right.next).prev = best.left;
    right.size = 0;
    consider(left.prev, best.left);
    consider(best.left, left.next);
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.size == 0) continue;
    const std::string_view piece = view.substr(symbol.begin, symbol.size);
    if (const auto id = vocabulary.FindPlain(piece)) {
      ids->push_back(*id);
      continue;
    }
    for (const char byte : piece) ids->push_back(byte_ids_[static_cast<uint8_t>(byte)]);
  }
}

}  // namespace anabranch
