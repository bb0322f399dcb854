// What the tests share that every memory passes, wherever it lives.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "memory/memory_test_support.h"
#include "memory/store_fixtures.h"

namespace anabranch {

class Contract : public ::testing::TestWithParam<StoreKind> {
 protected:
  Contract() : store_(GetParam()) {}

  std::unique_ptr<Memory> Open(const std::string& journal = "journal") {
    auto memory = store_.Open(journal);
    EXPECT_TRUE(memory) << (memory ? "" : memory.error().Message());
    return std::move(memory).value();
  }
  static std::unique_ptr<StreamMemory> Stream(Memory& memory, const std::string& name) {
    auto stream = memory.OpenStream(name, "tokenizer");
    EXPECT_TRUE(stream) << (stream ? "" : stream.error().Message());
    return std::move(stream).value();
  }
  // Until the index has all that the journal has but the tail that may still grow.
  static bool Settles(const StreamMemory& stream, StreamPos end) {
    for (int i = 0; i < 1000; ++i) {
      if (stream.indexed_end() >= end) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  static RecallResult Recall(StreamMemory& stream, std::string_view question) {
    RecallQuery query;
    query.turn_text = question;
    query.mode = RecallMode::kAlways;
    query.exclude = {stream.journal_end(), stream.journal_end()};
    auto found = stream.Recall(query);
    EXPECT_TRUE(found) << (found ? "" : found.error().Message());
    return found.value_or(RecallResult{});
  }
  static std::string Text(const RecallResult& result) {
    std::string text;
    for (const Passage& passage : result.passages) text += passage.text + "\n";
    return text;
  }

  static Passage Best(const RecallResult& result) {
    const auto less = [](const Passage& a, const Passage& b) { return a.score < b.score; };
    const auto best = std::max_element(result.passages.begin(), result.passages.end(), less);
    return best == result.passages.end() ? Passage() : *best;
  }

  StoreFixture store_;
};

inline constexpr const char* kFacts[] = {
    "The ferry to Skagen leaves at seven from the northern pier.",
    "My sister keeps eleven green parrots in her orangery.",
    "The password of the telescope control room is heliotrope.",
    "Doctor Amundsen moved his clinic to Harbour Street in March.",
    "The bread wants two hundred grams of rye flour and a spoon of honey.",
};
inline constexpr const char* kQuestion = "When does the ferry to Skagen leave?";

inline void SayFacts(Writer* writer) {
  for (const char* fact : kFacts) {
    writer->Say(Role::kUser, fact);
    writer->Say(Role::kAssistant, "I have taken a note of what you told me just now.");
  }
}

// As an earlier process leaves a stream: a server has its vectors alone.
inline void SayFactsEarlier(StoreFixture* store) {
  const auto memory = store->Open("journal").value();
  const auto stream = memory->OpenStream("s", "tokenizer").value();
  Writer writer(stream.get());
  SayFacts(&writer);
}

}  // namespace anabranch
