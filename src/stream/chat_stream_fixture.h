// What the tests of ChatStream share: streams of a tiny model over a memory that does as it is
// told.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "stream/chat_stream.h"
#include "stream/fake_memory.h"
#include "stream/tiny_stream.h"

namespace anabranch::testing {

constexpr int64_t kRecent = 96;

class ChatStreamTest : public ::testing::Test {
 protected:
  ChatStreamTest() {
    options_.recent_size = kRecent;
    options_.recall_tokens = 150;
    options_.system = "be kind";
    answer_.max_tokens = 12;
    Passage passage;
    passage.stream = options_.name;
    passage.span = {StreamPos(0), StreamPos(9)};
    passage.text = "The secret word is xylophone.";
    passage.score = .8f;
    log_.recall.decision = RecallDecision::kUsed;
    log_.recall.passages = {passage};
  }
  std::unique_ptr<ChatStream> OpenPlain() const { return tiny_.Open(options_); }
  std::unique_ptr<ChatStream> OpenRecalling(FakeMemoryLog* log) {
    options_.recall = RecallMode::kEvicted;
    return tiny_.Open(options_, std::make_unique<FakeMemory>(log));
  }
  // Text records of the journal, a turn's parts joined.
  static std::vector<std::string> Texts(const FakeMemoryLog& log) {
    std::vector<std::string> texts;
    int64_t turn = -1;
    for (const JournalRecord& record : log.durable) {
      if (record.kind != RecordKind::kText) continue;
      if (record.turn != turn) texts.emplace_back();
      turn = record.turn;
      texts.back() += record.bytes;
    }
    return texts;
  }
  // The whole journal as ids; checks that it has no hole.
  static std::vector<TokenId> Ids(const FakeMemoryLog& log) {
    std::vector<TokenId> ids;
    for (const JournalRecord& record : log.durable) {
      EXPECT_EQ(record.begin, StreamPos(static_cast<int64_t>(ids.size())));
      ids.insert(ids.end(), record.ids.begin(), record.ids.end());
    }
    return ids;
  }
  static int32_t Bands(const ChatStream& stream) {
    StepPlan plan(1, KvContext::kMaxBands, KvContext::kMaxSegments);
    stream.kv().PlanStream(1, &plan);
    return plan.n_bands;
  }

  TinyStreams tiny_{{.n_ctx_train = 1024}};
  StreamOptions options_;
  AnswerOptions answer_;
  FakeMemoryLog log_;
};

}  // namespace anabranch::testing
