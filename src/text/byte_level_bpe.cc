#include "text/byte_level_bpe.h"

#include <fmt/core.h>

#include <queue>
#include <string>
#include <tuple>
#include <utility>

#include "text/byte_alphabet.h"
#include "text/lenient_utf8.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

constexpr int32_t kNoToken = -1;

// A run of a word's bytes, in a doubly linked list; merged into its left neighbour: kNoToken.
struct Symbol {
  int32_t id;
  int32_t prev, next;  // -1: none
};

// Symbols `left` and the one after it, as they were when this was found.
struct Candidate {
  int32_t rank, left, right;
  int32_t left_id, right_id, result;
};

// For std::priority_queue: the best rank on top, of equal ones the leftmost.
struct Worse {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return std::tie(a.rank, a.left) > std::tie(b.rank, b.left);
  }
};

Failure BadMerge(size_t rank, std::string_view merge, std::string_view fault) {
  return Fail(ErrorKind::kInvalid, "tokenizer",
              fmt::format("merge {} \"{}\" {}", rank, merge, fault),
              "use a file with a complete vocabulary");
}

std::string Spell(std::string_view bytes) {
  std::string spelling;
  for (const char byte : bytes) spelling += ByteSpelling(static_cast<uint8_t>(byte));
  return spelling;
}

}  // namespace

uint64_t ByteLevelBpe::PairKey(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

Result<ByteLevelBpe> ByteLevelBpe::Create(const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const std::string_view pre = spec.pre.empty() ? "default" : std::string_view(spec.pre);
  ASSIGN_OR_RETURN(PreTokenizer pre_tokenizer, PreTokenizer::Create(pre));
  ByteLevelBpe bpe(std::move(pre_tokenizer));
  bpe.ignore_merges_ = pre == "llama-bpe";
  for (size_t byte = 0; byte < 256; ++byte) {
    const auto id = vocabulary.Find(ByteSpelling(static_cast<uint8_t>(byte)));
    bpe.byte_ids_[byte] = id ? id->value() : kNoToken;
  }

  bpe.merges_.reserve(spec.merges.size());
  for (size_t rank = 0; rank < spec.merges.size(); ++rank) {
    const std::string_view merge = spec.merges[rank];
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos) return BadMerge(rank, merge, "is no pair");
    const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
    const auto left_id = vocabulary.Find(left), right_id = vocabulary.Find(right);
    const auto result = vocabulary.FindPlain(std::string(left) + std::string(right));
    if (!left_id || !right_id || !result) {
      return BadMerge(rank, merge,
                      "names a token that the vocabulary lacks, or makes a control token");
    }
    bpe.merges_.emplace(PairKey(left_id->value(), right_id->value()),
                        Merge{static_cast<int32_t>(rank), result->value()});
  }
  return bpe;
}

const ByteLevelBpe::Merge* ByteLevelBpe::FindMerge(int32_t left, int32_t right) const {
  const auto found = merges_.find(PairKey(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void ByteLevelBpe::Encode(std::string_view text, const Vocabulary& vocabulary,
                          std::vector<TokenId>* ids) const {
  std::string readable;
  if (!IsValidUtf8(text)) text = readable = ReadLeniently(text);
  for (const std::string_view word : pre_tokenizer_.Split(text)) {
    if (ignore_merges_) {
      if (const auto whole = vocabulary.FindPlain(Spell(word))) {
        ids->push_back(*whole);
        continue;
      }
    }
    EncodeWord(word, ids);
  }
}

void ByteLevelBpe::EncodeWord(std::string_view word, std::vector<TokenId>* ids) const {
  const auto n = static_cast<int32_t>(word.size());
  std::vector<Symbol> symbols(word.size());
  std::vector<Candidate> storage;
  storage.reserve(word.size());
  std::priority_queue<Candidate, std::vector<Candidate>, Worse> candidates(Worse(),
                                                                           std::move(storage));
  const auto at = [&](int32_t i) -> Symbol& { return symbols[static_cast<size_t>(i)]; };
  const auto consider = [&](int32_t left, int32_t right) {
    if (left < 0 || right < 0) return;
    const int32_t left_id = at(left).id, right_id = at(right).id;
    if (const Merge* merge = FindMerge(left_id, right_id)) {
      candidates.push({merge->rank, left, right, left_id, right_id, merge->result});
    }
  };

  for (int32_t i = 0; i < n; ++i) {
    const auto byte = static_cast<uint8_t>(word[static_cast<size_t>(i)]);
    at(i) = {byte_ids_[byte], i - 1, i + 1 < n ? i + 1 : -1};
    consider(i - 1, i);
  }
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = at(best.left);
    Symbol& right = at(best.right);
    if (left.id != best.left_id || right.id != best.right_id) continue;  // merged meanwhile
    left.id = best.result;
    left.next = right.next;
    if (right.next >= 0) at(right.next).prev = best.left;
    right.id = kNoToken;
    consider(left.prev, best.left);
    consider(best.left, left.next);
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.id != kNoToken) ids->push_back(TokenId(symbol.id));
  }
}

}  // namespace anabranch
