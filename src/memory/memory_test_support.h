// For tests of memory: an embedder, a conversation that writes itself, a folder.
#pragma once

#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "memory/lexical.h"
#include "memory/memory.h"
#include "memory/null_queries.h"
#include "memory/scan_for_tests.h"
#include "memory/small_talk.h"
#include "text/words.h"

namespace anabranch {

// Words between white space.
inline int CountFakePieces(std::string_view text) {
  int pieces = 0;
  bool in_word = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    pieces += !space && !in_word ? 1 : 0;
    in_word = !space;
  }
  return pieces;
}

inline bool IsListedAsSmallTalk(std::string_view text) {
  const auto same = [&](std::string_view listed) { return listed == text; };
  return std::any_of(SmallTalk().begin(), SmallTalk().end(), same) ||
         std::any_of(NullQueries().begin(), NullQueries().end(),
                     [&](const NullQuery& query) { return query.small_talk && same(query.text); });
}

// A bag of hashed words: quick and deterministic. The real embedder is tested end to end in engine.
inline EmbedderHandle FakeEmbedder(int32_t width = 64) {
  EmbedderHandle embedder;
  embedder.width = width;
  embedder.fingerprint = "bag-of-words-" + std::to_string(width);
  embedder.count_pieces = CountFakePieces;
  embedder.embed = [width](std::span<const std::string_view> texts,
                           std::span<float> vectors) -> Result<void> {
    const auto w = static_cast<size_t>(width);
    for (size_t t = 0; t < texts.size(); ++t) {
      const std::span<float> vector = vectors.subspan(t * w, w);
      for (float& v : vector) v = 0;
      // Words of any question weigh little, as in a real embedder.
      const auto add = [&](const std::vector<std::string>& words, float weight) {
        for (const std::string& word : words) {
          const uint64_t hash = XXH3_64bits(word.data(), word.size());
          vector[hash % w] += hash & (uint64_t{1} << 40) ? weight : -weight;
        }
      };
      add(LexicalWords(texts[t]), 0.1f);
      add(ContentWords(texts[t]), 1.0f);
      // Small talk lies apart from what is about something, as in a real embedder.
      if (IsListedAsSmallTalk(texts[t])) vector[0] += 3.0f;
      float norm = 0;
      for (const float v : vector) norm += v * v;
      norm = std::sqrt(norm);
      for (float& v : vector) v = norm > 0 ? v / norm : 0;
    }
    return {};
  };
  AddReferenceScans(&embedder);
  return embedder;
}

// Tokens of a text, as a byte-level tokenizer would have them: a word with the space before it, in
// pieces of at most five bytes.
inline std::vector<uint32_t> FakeTokenEnds(std::string_view text) {
  std::vector<uint32_t> ends;
  uint32_t begin = 0;
  for (uint32_t i = 0; i < text.size(); ++i) {
    const bool last = i + 1 == text.size() || text[i + 1] == ' ' || i + 1 - begin == 5;
    if (last) {
      ends.push_back(i + 1);
      begin = i + 1;
    }
  }
  return ends;
}

// Writes turns to a stream as a Stream would: template, text, template.
class Writer {
 public:
  explicit Writer(StreamMemory* memory)
      : memory_(memory), pos_(memory->journal_end()), turn_(memory->next_turn()) {}

  // A whole turn, its text in records of `batch` tokens, synced and indexed after each.
  StreamSpan Say(Role role, std::string_view text, size_t batch = 1000, bool index = true) {
    const StreamPos begin = pos_;
    Template(role, 3);
    const std::vector<uint32_t> ends = FakeTokenEnds(text);
    for (size_t i = 0; i < ends.size(); i += batch) {
      const size_t n = std::min(batch, ends.size() - i);
      const uint32_t from = i == 0 ? 0 : ends[i - 1];
      JournalRecord record = Record(role, RecordKind::kText);
      record.bytes = text.substr(from, ends[i + n - 1] - from);
      for (size_t t = i; t < i + n; ++t) {
        record.ids.push_back(TokenId(static_cast<int32_t>(t)));
        record.token_ends.push_back(ends[t] - from);
      }
      Append(std::move(record));
      if (index) Check(memory_->Index(false));
    }
    Template(role, 2);
    if (index) Check(memory_->Index(true));
    ++turn_;
    return {begin, pos_};
  }

  StreamPos pos() const { return pos_; }

 private:
  JournalRecord Record(Role role, RecordKind kind) const {
    JournalRecord record;
    record.turn = turn_;
    record.role = role;
    record.kind = kind;
    record.begin = pos_;
    record.time_ms = 1000 * turn_;
    return record;
  }
  void Template(Role role, size_t n) {
    JournalRecord record = Record(role, RecordKind::kTemplate);
    record.ids.assign(n, TokenId(1));
    Append(std::move(record));
  }
  void Append(JournalRecord record) {
    pos_ = record.end();
    Check(memory_->Append(std::move(record)));
    Check(memory_->Sync());
  }
  static void Check(const Result<void>& result) {
    if (!result) throw std::runtime_error(result.error().Message());
  }

  StreamMemory* memory_;
  StreamPos pos_;
  int64_t turn_;
};

// A folder that goes with the test.
class TempDir {
 public:
  TempDir() {
    // In RAM where that is to be had: hundreds of stores are synced.
    const std::filesystem::path shm = "/dev/shm";
    const bool in_ram = access(shm.c_str(), W_OK) == 0;
    const auto parent = in_ram ? shm : std::filesystem::temp_directory_path();
    std::string name = (parent / "anabranch-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace anabranch
