// Streams are separate: whatever is done to two streams of one memory in whatever order, each is
// and answers as if it were alone in a memory of its own.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "memory/contract_fixture.h"
#include "memory/reindex.h"

namespace anabranch {
namespace {

constexpr std::array<const char*, 2> kNames = {"one", "two"};
constexpr std::array<const char*, 4> kQuestions = {"Is the old bridge of Anna green?",
                                                   "Seven? And the piano mill?",
                                                   "Who built the river bridge?", "What is seven?"};

std::string ArbitraryText(std::mt19937* random) {
  constexpr std::array<const char*, 14> kWords = {"bridge", "river", "the",   "old",    "Anna",
                                                  "seven",  "green", "mill.", "piano",  "of",
                                                  "is it?", "built", "日本",  "harbour"};
  std::string text = "So";
  for (auto n = (*random)() % 30; n > 0; --n) {
    text += std::string(" ") + kWords[(*random)() % kWords.size()];
  }
  return text + ".";
}

// A memory with streams, each of which a step is done to.
class Side {
 public:
  Side(StoreKind kind, std::vector<std::string> names) : store_(kind), names_(std::move(names)) {
    options_.recall_timeout = std::chrono::minutes(1);  // nothing is left out
    Open();
  }

  Memory& memory() { return *memory_; }
  StreamMemory& stream(const std::string& name) { return *streams_.at(name); }

  void Say(const std::string& name, Role role, const std::string& text, size_t batch) {
    Writer(&stream(name)).Say(role, text, batch);
  }
  RecallResult Recall(const std::string& name, const RecallQuery& query) {
    return OrFail(stream(name).Recall(query));
  }
  std::vector<Passage> Search(const std::string& name, const std::string& text) {
    return OrFail(memory_->Search(name, text, 5));
  }
  ForgetResult Forget(const std::string& name, const ForgetSelection& what) {
    return OrFail(memory_->Forget(name, what, false));
  }
  std::vector<std::string> Export(const std::string& name) {
    std::vector<std::string> lines;
    EXPECT_TRUE(memory_->Export(name, [&](std::string_view line) -> Result<void> {
      lines.emplace_back(line);
      return {};
    }));
    return lines;
  }
  void Import(const std::vector<std::string>& lines, const std::string& name) {
    size_t at = 0;
    const LineSource next = [&]() -> Result<std::optional<std::string>> {
      return at < lines.size() ? std::optional(lines[at++]) : std::nullopt;
    };
    OrFail(memory_->Import(next, {.stream = name}));
  }
  void OpenAgain() {
    Close();
    Open();
  }
  void Reindex(const std::string& name) {
    Close();
    OrFail(store_.Reindex("journal", name));
    Open();
  }
  void ExpectSound() {
    for (const std::string& name : names_) {
      EXPECT_TRUE(AwaitIndex(name));
    }
    const VerifyReport report = OrFail(memory_->Verify());
    EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
  }

 private:
  template <typename T>
  static T OrFail(Result<T> result) {
    EXPECT_TRUE(result) << (result ? "" : result.error().Message());
    return std::move(result).value();
  }
  void Open() {
    memory_ = OrFail(store_.Open("journal", FakeEmbedder(), options_));
    for (const std::string& name : names_) streams_[name] = OrFail(memory_->OpenStream(name, "t"));
  }
  void Close() {
    streams_.clear();
    memory_.reset();
  }
  // A server has all that is settled.
  bool AwaitIndex(const std::string& name) {
    EXPECT_TRUE(stream(name).Index(true));
    const std::vector<MemoryStreamInfo> streams = OrFail(memory_->List());
    for (const MemoryStreamInfo& info : streams) {
      if (info.name != name) continue;
      for (int i = 0; i < 3000; ++i) {
        if (stream(name).indexed_end() >= info.indexed) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
    return false;
  }

  StoreFixture store_;
  const std::vector<std::string> names_;
  MemoryOptions options_;
  std::unique_ptr<Memory> memory_;
  std::map<std::string, std::unique_ptr<StreamMemory>> streams_;
};

class StreamsApart : public ::testing::TestWithParam<StoreKind> {
 protected:
  // A server rounds scores in its own way, and a stream's units are on it sooner or later.
  float tolerance() const { return GetParam() == StoreKind::kSqlite ? 0.0f : 1e-5f; }

  void ExpectSame(const std::vector<Passage>& a, const std::vector<Passage>& b) const {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].span, b[i].span);
      EXPECT_EQ(a[i].text, b[i].text);
      EXPECT_EQ(a[i].stream, b[i].stream);
      EXPECT_NEAR(a[i].score, b[i].score, tolerance());
      EXPECT_EQ(a[i].lexical, b[i].lexical);
    }
  }
  void ExpectSame(const RecallResult& a, const RecallResult& b) const {
    EXPECT_EQ(a.decision, b.decision);
    EXPECT_NEAR(a.best_score, b.best_score, tolerance());
    EXPECT_NEAR(a.threshold, b.threshold, tolerance());
    EXPECT_EQ(a.fault, "");
    ExpectSame(a.passages, b.passages);
  }
};

TEST_P(StreamsApart, EachIsAsIfItWereAlone) {
  const bool on_server = GetParam() != StoreKind::kSqlite;
  const unsigned rounds = on_server ? 3 : 25;
  int imported = 0;
  for (unsigned seed = 0; seed < rounds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return static_cast<int64_t>(random() % n); };
    Side both(GetParam(), {kNames[0], kNames[1]});
    std::array<Side, 2> alone = {Side(GetParam(), {kNames[0]}), Side(GetParam(), {kNames[1]})};
    for (int step = 0; step < 60 && !HasFailure(); ++step) {
      const size_t s = random() % 2;
      const std::string name = kNames[s];
      SCOPED_TRACE("step " + std::to_string(step) + " on " + name);
      Side& own = alone[s];
      switch (const int64_t what = below(20)) {
        default: {
          const Role role = what % 2 == 0 ? Role::kUser : Role::kAssistant;
          const std::string text = ArbitraryText(&random);
          const size_t batch = 1 + random() % 20;
          own.Say(name, role, text, batch);
          both.Say(name, role, text, batch);
          break;
        }
        case 0:
        case 1:
        case 2:
        case 3: {
          RecallQuery query;
          query.turn_text = kQuestions[random() % kQuestions.size()];
          query.mode = RecallMode::kAlways;
          if (what % 2 == 0) query.threshold = 0.1f;
          ExpectSame(both.Recall(name, query), own.Recall(name, query));
          break;
        }
        case 4: {
          const std::string text = ArbitraryText(&random);
          ExpectSame(both.Search(name, text), own.Search(name, text));
          break;
        }
        case 5:
        case 6: {
          ForgetSelection forget;
          if (what == 5) {
            const StreamPos begin(below(60));
            forget.span = {begin, begin + 1 + below(20)};
          } else if (below(8) == 0) {
            forget.all = true;
          } else {
            forget.matching = below(2) == 0 ? "anna seven" : "harbour bridge";
          }
          const ForgetResult a = both.Forget(name, forget), b = own.Forget(name, forget);
          EXPECT_EQ(a.units, b.units);
          EXPECT_EQ(a.text_bytes, b.text_bytes);
          EXPECT_EQ(a.spans, b.spans);
          EXPECT_EQ(a.turns, b.turns);
          EXPECT_EQ(a.grade, b.grade);
          break;
        }
        case 7: {
          const std::vector<std::string> lines = both.Export(name);
          EXPECT_EQ(lines, own.Export(name));
          // A third stream comes that says the same.
          both.Import(lines, "copy " + std::to_string(++imported));
          break;
        }
        case 8:
          if (below(3) == 0) {
            own.Reindex(name);
            both.Reindex(name);
          } else {
            both.OpenAgain();
          }
          break;
      }
    }
    both.ExpectSound();
    for (size_t s = 0; s < 2 && !HasFailure(); ++s) {
      EXPECT_EQ(both.Export(kNames[s]), alone[s].Export(kNames[s]));
      alone[s].ExpectSound();
      for (const char* question : kQuestions) {
        RecallQuery query;
        query.turn_text = question;
        query.mode = RecallMode::kAlways;
        ExpectSame(both.Recall(kNames[s], query), alone[s].Recall(kNames[s], query));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, StreamsApart,
                         ::testing::Values(StoreKind::kSqlite, StoreKind::kPostgres,
                                           StoreKind::kChroma),
                         [](const auto& kind) { return StoreName(kind.param); });

}  // namespace
}  // namespace anabranch
