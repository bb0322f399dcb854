// No hole between window and memory (docs/architecture.md): through the real memory, everything
// that has left the window can be recalled.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>

#include "memory/scan_for_tests.h"
#include "stream/tiny_stream.h"

namespace anabranch {
namespace {

using testing::TinyStreams;

// A bag of words, each a random direction: sentences that share more words are closer.
class WordBags {
 public:
  static constexpr int32_t kWidth = 48;

  static EmbedderHandle Handle() {
    EmbedderHandle handle;
    handle.width = kWidth;
    handle.fingerprint = "word bags";
    handle.count_pieces = [](std::string_view text) {
      return static_cast<int>(Words(text).size());
    };
    handle.embed = [](std::span<const std::string_view> texts, std::span<float> out) {
      for (size_t i = 0; i < texts.size(); ++i) Embed(texts[i], out.subspan(i * kWidth, kWidth));
      return Result<void>();
    };
    AddReferenceScans(&handle);
    return handle;
  }

 private:
  static std::vector<std::string> Words(std::string_view text) {
    std::vector<std::string> words(1);
    for (const char c : text) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        words.back() += c;
      } else if (!words.back().empty()) {
        words.emplace_back();
      }
    }
    if (words.back().empty()) words.pop_back();
    return words;
  }
  static void Embed(std::string_view text, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0.0f);
    for (const std::string& word : Words(text)) {
      std::mt19937 random(static_cast<uint32_t>(std::hash<std::string>()(word)));
      std::normal_distribution<float> normal;
      for (float& value : out) value += normal(random);
    }
    float norm = 1e-12f;
    for (const float value : out) norm += value * value;
    for (float& value : out) value /= std::sqrt(norm);
  }
};

// A sentence of the stream, with the positions of its tokens.
struct Fact {
  std::string sentence, word;  // the last one of the sentence
  StreamSpan span;
};

// The value, or the test ends with the error.
template <typename T>
T Value(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().Message());
  return *std::move(result);
}

class RandomConversation {
 public:
  RandomConversation(const TinyStreams& tiny, uint32_t seed)
      : random_(seed),
        encoder_(tiny.tokenizer(), tiny.chat_template()),
        memory_(Value(OpenMemory("", WordBags::Handle()))) {
    StreamOptions options;
    options.recent_size = Uniform(20, 200);
    options.start_size = Uniform(0, 8);
    options.recall = RecallMode::kEvicted;
    options.recall_tokens = 200;
    options.recall_threshold = -1.0f;
    StreamParts parts = tiny.parts();
    parts.memory = memory_.get();
    stream_ = Value(ChatStream::Open(parts, options, Value(memory_->OpenStream("s", "tiny"))));
  }

  void Turn() {
    std::string text;
    std::vector<Fact> said;
    std::vector<size_t> begins;
    for (int n = Uniform(1, 4); n > 0; --n) {
      Fact fact;
      for (int i = 0; i < 8; ++i) {
        fact.word = (i == 0 ? "W" : "w") + std::to_string(Uniform(0, 99999));
        fact.sentence += fact.word + (i < 7 ? " " : ".");
      }
      begins.push_back(text.size());
      text += fact.sentence + " ";
      said.push_back(fact);
    }
    const StreamPos begin = stream_->kv().next();
    const Role role = Uniform(0, 2) == 0 ? Role::kAssistant : Role::kUser;
    const TurnTokens tokens = encoder_.Turn(role, text);
    if (role == Role::kUser && Uniform(0, 1) == 0) {
      AnswerOptions options;
      options.max_tokens = Uniform(0, 5);
      ASSERT_TRUE(stream_->Answer(text, options));
    } else {
      ASSERT_TRUE(stream_->Read(role, text, 0, nullptr));
    }
    for (size_t i = 0; i < said.size(); ++i) {
      const auto at = [&](size_t byte) {
        int64_t token = tokens.text_begin;
        while (tokens.TextByte(token + 1) <= byte) ++token;
        return begin + token;
      };
      said[i].span = {at(begins[i]), at(begins[i] + said[i].sentence.size() - 1) + 1};
      facts_.push_back(said[i]);
    }
  }

  bool HasLeft(const Fact& fact) const {
    return std::max(fact.span.begin, stream_->kv().pinned_end()) <
           std::min(fact.span.end, stream_->kv().window_begin());
  }
  void CheckFact(const Fact& fact) const {
    // A question that said all of the sentence's words would not be answered by it.
    std::string question = fact.sentence;
    question.replace(question.find(fact.word), fact.word.size(), "what");
    const auto found = stream_->Recall(question);
    ASSERT_TRUE(found);
    bool holds = false;
    for (const Passage& passage : found->passages) {
      holds = holds || passage.text.find(fact.word) != std::string::npos;
    }
    EXPECT_TRUE(holds) << fact.sentence << " at " << fact.span.begin.value() << " of "
                       << stream_->kv().next().value() << ", window from "
                       << stream_->kv().window_begin().value() << ", decision "
                       << static_cast<int>(found->decision) << ", score " << found->best_score
                       << ", " << found->passages.size() << " passages " << found->fault;
  }
  void CheckSome() {
    for (int i = 0; i < 2; ++i) {
      const Fact& fact =
          facts_[static_cast<size_t>(Uniform(0, static_cast<int>(facts_.size()) - 1))];
      if (HasLeft(fact)) CheckFact(fact);
    }
    const StreamStats stats = stream_->stats();
    EXPECT_LE(stats.window_begin, stats.journalled);
    EXPECT_LE(stats.indexed, stats.journalled);
  }
  int CheckAll() const {
    int n = 0;
    for (const Fact& fact : facts_) {
      if (!HasLeft(fact)) continue;
      CheckFact(fact);
      ++n;
    }
    return n;
  }

 private:
  int Uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  std::mt19937 random_;
  TurnEncoder encoder_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<ChatStream> stream_;
  std::vector<Fact> facts_;
};

TEST(NoHole, WhatHasLeftTheWindowCanBeRecalled) {
  const TinyStreams tiny({.n_layers = 1,
                          .n_embd = 32,
                          .n_heads = 2,
                          .n_kv_heads = 1,
                          .n_ff = 32,
                          .n_ctx_train = 1024});
  int n_left = 0;
  for (uint32_t seed = 0; seed < 8; ++seed) {
    RandomConversation conversation(tiny, seed);
    for (int turn = 0; turn < 12; ++turn) {
      conversation.Turn();
      conversation.CheckSome();
      if (::testing::Test::HasFailure()) return;
    }
    n_left += conversation.CheckAll();
  }
  EXPECT_GT(n_left, 100);
}

}  // namespace
}  // namespace anabranch
