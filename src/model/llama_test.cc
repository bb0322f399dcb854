// Streaming and recall on tiny random models, against the plain reference.
#include "model/llama.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kv/list_context.h"
#include "model/reference_llama.h"
#include "model/stream_of_model.h"
#include "support/alloc_counter.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

using testing::AllocCounter;
using testing::TinyModelGguf;
using testing::TinyModelOptions;

constexpr StreamPos kFar{int64_t{1} << 40};

// Logits deviate by 2.4 among tokens. F32 throughout: what summing in another order may change.
constexpr double kF32Tolerance = 1e-4;

struct TinyModel {
  explicit TinyModel(const TinyModelOptions& options)
      : bytes(TinyModelGguf(options)),
        gguf(GgufFile::Parse(std::as_bytes(std::span(bytes)), "tiny.gguf").value()) {}
  std::string bytes;
  GgufFile gguf;
};

TinyModelOptions Small() {
  return {.n_layers = 2, .n_embd = 32, .n_heads = 4, .n_kv_heads = 2, .head_dim = 8, .n_ff = 48};
}

class RandomTokens {
 public:
  explicit RandomTokens(uint32_t seed) : engine_(seed) {}
  std::vector<TokenId> Next(size_t n) {
    std::vector<TokenId> tokens;
    for (size_t i = 0; i < n; ++i) tokens.emplace_back(static_cast<int32_t>(engine_() % 259));
    return tokens;
  }
  size_t UpTo(size_t n) { return 1 + engine_() % n; }

 private:
  std::mt19937 engine_;
};

// Infinite if any is not a number.
double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

double MeanDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  }
  return sum / static_cast<double>(a.size());
}

// A stream that is read twice: by the model, and as a list of entries for the reference.
class Witnessed {
 public:
  Witnessed(ModelOnTable& on, const KvSizes& sizes)
      : stream(on, sizes, DType::kF32),
        list_(sizes.n_pinned, sizes.recent_size, sizes.first.value()) {}

  void Read(const std::vector<TokenId>& tokens, size_t batch) {
    stream.Read(tokens, batch, &logits_);
    Record(tokens, [this] { return list_.AddStream(); });
  }
  void Recall(const std::vector<TokenId>& tokens, size_t batch) {
    stream.Recall(tokens, batch, &logits_);
    list_.Split();
    Record(tokens, [this] { return list_.AddRecalled(); });
  }
  void Retract() {
    stream.kv.Retract();
    list_.Retract();
  }
  // The largest difference of any logit of any row computed so far.
  double Difference(const GgufFile& gguf) const {
    const std::vector<float> want = Reference(gguf, Activations::kExact);
    EXPECT_EQ(logits_.size(), want.size());
    return LargestDifference(logits_, want);
  }
  std::vector<float> Reference(const GgufFile& gguf, Activations activations) const {
    std::vector<float> logits;
    for (const Vector& row : ReferenceLlama(gguf, activations).Logits(tokens_, seen_)) {
      logits.insert(logits.end(), row.begin(), row.end());
    }
    return logits;
  }
  const std::vector<float>& logits() const { return logits_; }

  StreamOfModel stream;

 private:
  template <typename AddEntry>
  void Record(const std::vector<TokenId>& tokens, AddEntry add) {
    for (TokenId token : tokens) {
      tokens_.push_back(token.value());
      seen_.push_back(add());
    }
  }

  ListContext list_;
  std::vector<float> logits_;
  std::vector<int32_t> tokens_;
  std::vector<std::vector<ListEntry>> seen_;
};

class LlamaOnTable : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Tables, LlamaOnTable, ::testing::ValuesIn(TablesHere()),
                         [](const auto& table) { return table.param; });

TEST_P(LlamaOnTable, OneTurnOfTwentyWindowsEqualsTheReference) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  Witnessed witnessed(on, {.n_pinned = 4, .recent_size = 20, .max_batch = 64});
  RandomTokens random(1);
  witnessed.Read(random.Next(20 * 20), 7);
  EXPECT_LT(witnessed.Difference(tiny.gguf), kF32Tolerance);
}

TEST_P(LlamaOnTable, BatchesThatCrossTheFillingOfTheWindowEqualTheReference) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  for (const size_t first_batch : std::vector<size_t>{1, 3, 22, 25, 40, 64}) {
    SCOPED_TRACE(first_batch);
    Witnessed witnessed(on, {.n_pinned = 5, .recent_size = 20, .max_batch = 64});
    RandomTokens random(2);
    witnessed.Read(random.Next(first_batch), first_batch);
    witnessed.Read(random.Next(70), 64);
    EXPECT_LT(witnessed.Difference(tiny.gguf), kF32Tolerance);
  }
}

TEST_P(LlamaOnTable, FiftyTurnsWithRecallsAndRetractionsEqualTheReference) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  Witnessed witnessed(
      on, {.n_pinned = 4, .recent_size = 24, .max_batch = 16, .recall_slots = 12, .first = kFar});
  RandomTokens random(3);
  witnessed.Read(random.Next(10), 16);
  for (int turn = 0; turn < 50; ++turn) {
    if (turn % 3 != 0) witnessed.Recall(random.Next(random.UpTo(12)), random.UpTo(12));
    // Every tenth turn is longer than the window.
    witnessed.Read(random.Next(turn % 10 == 9 ? 30 : random.UpTo(14)), random.UpTo(16));
    witnessed.Retract();
  }
  EXPECT_LT(witnessed.Difference(tiny.gguf), kF32Tolerance);
}

TEST_P(LlamaOnTable, QuantisedAndUntiedWeightsEqualTheReference) {
  for (const auto weights : {testing::TinyWeights::kQ8_0, testing::TinyWeights::kQ4_0}) {
    TinyModelOptions options = Small();
    options.n_ff = 64;
    options.tied = false;
    options.weights = weights;
    const TinyModel tiny(options);
    ModelOnTable on(tiny.gguf, GetParam());
    Witnessed witnessed(on, {.n_pinned = 4, .recent_size = 30, .max_batch = 64});
    RandomTokens random(4);
    witnessed.Read(random.Next(90), 32);
    if (GetParam() == "ref") {
      EXPECT_LT(witnessed.Difference(tiny.gguf), kF32Tolerance);
      continue;
    }
    // Fast tables round activations to 8 bits: that, and nothing else, may cost them.
    const std::vector<float> exact = witnessed.Reference(tiny.gguf, Activations::kExact);
    const std::vector<float> rounded = witnessed.Reference(tiny.gguf, Activations::kInt8);
    EXPECT_LT(MeanDifference(witnessed.logits(), exact), 1.2 * MeanDifference(rounded, exact));
    EXPECT_LT(MeanDifference(witnessed.logits(), rounded), 0.2 * MeanDifference(rounded, exact));
  }
}

TEST_P(LlamaOnTable, RecallAndRetractBeforeAnythingElseChangeNoBit) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  const KvSizes sizes{.n_pinned = 4, .recent_size = 24, .max_batch = 16, .recall_slots = 12};
  RandomTokens random(5);
  const auto text = random.Next(60), recalled = random.Next(12), turn = random.Next(40);
  StreamOfModel never(on, sizes, DType::kF16), recalls(on, sizes, DType::kF16);
  never.Read(text, 16);
  recalls.Read(text, 16);
  recalls.Recall(recalled, 5);
  recalls.kv.Retract();
  std::vector<float> want, got;
  never.Read(turn, 9, &want);
  recalls.Read(turn, 9, &got);
  EXPECT_EQ(got, want);
}

TEST_P(LlamaOnTable, AfterRetractionOnlyTheTurnsKeysAndValuesRemain) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  const KvSizes sizes{.n_pinned = 4, .recent_size = 24, .max_batch = 16, .recall_slots = 12};
  RandomTokens random(6);
  const auto text = random.Next(60), recalled = random.Next(12), turn = random.Next(30);
  const auto next = random.Next(30);
  StreamOfModel recalls(on, sizes, DType::kF16);
  recalls.Read(text, 16);
  recalls.Recall(recalled, 12);
  recalls.Read(turn, 16);
  recalls.kv.Retract();
  // A context that never recalled, over the keys and values that the turn left.
  StreamOfModel received(on, sizes, recalls.cache.Clone().value());
  for (size_t i = 0; i < text.size() + turn.size(); ++i) received.kv.CommitStream(1);
  std::vector<float> want, got;
  received.Read(next, 16, &want);
  recalls.Read(next, 16, &got);
  EXPECT_EQ(got, want);
}

TEST_P(LlamaOnTable, AForkOfTheCacheGoesItsOwnWay) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  const KvSizes sizes{.n_pinned = 4, .recent_size = 24, .max_batch = 16};
  RandomTokens random(7);
  const auto text = random.Next(60), other = random.Next(40), turn = random.Next(40);
  StreamOfModel stream(on, sizes, DType::kF16), alone(on, sizes, DType::kF16);
  stream.Read(text, 16);
  alone.Read(text, 16);
  StreamOfModel fork(on, sizes, stream.cache.Clone().value());
  fork.kv = stream.kv;
  std::vector<float> want, got, of_fork;
  fork.Read(other, 16);
  stream.Read(turn, 16, &got);
  alone.Read(turn, 16, &want);
  EXPECT_EQ(got, want);
}

TEST_P(LlamaOnTable, StreamsFarFromTheStartAgree) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  RandomTokens random(8);
  const auto tokens = random.Next(200);
  auto logits = [&](StreamPos first, DType dtype) {
    std::vector<float> all;
    StreamOfModel(on, {.n_pinned = 4, .recent_size = 24, .max_batch = 64, .first = first}, dtype)
        .Read(tokens, 16, &all);
    return all;
  };
  const std::vector<float> exact = logits(StreamPos(0), DType::kF32);
  const auto largest = static_cast<double>(*std::ranges::max_element(exact));
  EXPECT_LT(LargestDifference(logits(kFar, DType::kF32), exact), 1e-5 * largest);
  // Keys rotated elsewhere are rounded elsewhere: far, F16 costs what it costs at the start.
  const double rounding = MeanDifference(logits(StreamPos(0), DType::kF16), exact);
  EXPECT_GT(rounding, 0);
  EXPECT_LT(MeanDifference(logits(kFar, DType::kF16), exact), 1.2 * rounding);
}

TEST_P(LlamaOnTable, ThreadsChangeNoBit) {
  const TinyModel tiny(Small());
  ModelOnTable one(tiny.gguf, GetParam(), 1), two(tiny.gguf, GetParam(), 2);
  RandomTokens random(9);
  const auto tokens = random.Next(200);
  const KvSizes sizes{.n_pinned = 4, .recent_size = 24, .max_batch = 64};
  std::vector<float> of_one, of_two;
  StreamOfModel(one, sizes, DType::kF16).Read(tokens, 33, &of_one);
  StreamOfModel(two, sizes, DType::kF16).Read(tokens, 33, &of_two);
  EXPECT_EQ(of_one, of_two);
}

TEST_P(LlamaOnTable, ForwardAndLogitsAllocateNothing) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam(), 2);
  StreamOfModel stream(on, {.n_pinned = 4, .recent_size = 24, .max_batch = 64}, DType::kF16);
  RandomTokens random(10);
  const auto tokens = random.Next(300);
  std::vector<float> logits;
  logits.reserve(tokens.size() * static_cast<size_t>(on.model->config().n_vocab));
  stream.Read(std::span(tokens).first(64), 64, &logits);
  const int64_t before = AllocCounter::Count();
  stream.Read(std::span(tokens).subspan(64), 17, &logits);
  EXPECT_EQ(AllocCounter::Count() - before, 0);
}

TEST_P(LlamaOnTable, ATokenOutsideTheVocabularyIsAnErrorAndChangesNothing) {
  const TinyModel tiny(Small());
  ModelOnTable on(tiny.gguf, GetParam());
  const KvSizes sizes{.n_pinned = 4, .recent_size = 24, .max_batch = 16};
  StreamOfModel stream(on, sizes, DType::kF16), unharmed(on, sizes, DType::kF16);
  RandomTokens random(11);
  const auto text = random.Next(50), turn = random.Next(10);
  stream.Read(text, 16);
  unharmed.Read(text, 16);
  StepPlan plan(16, KvContext::kMaxBands, KvContext::kMaxSegments);
  for (const int32_t bad : {-1, on.model->config().n_vocab}) {
    stream.kv.PlanStream(1, &plan);
    const auto result = on.model->Forward(std::vector{TokenId(bad)}, plan, stream.cache);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
  }
  std::vector<float> want, got;
  stream.Read(turn, 16, &got);
  unharmed.Read(turn, 16, &want);
  EXPECT_EQ(got, want);
}

}  // namespace
}  // namespace anabranch
