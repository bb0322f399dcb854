// What the local index finds is what all vectors, one by one, would have given.
#include "memory/local_index.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

#include "memory/memory_test_support.h"
#include "memory/recall.h"
#include "memory/schema.h"

namespace anabranch {
namespace {

constexpr int32_t kWidth = 48;

// Scores every unit of a view with its own vector.
class BruteForce final : public DenseIndex {
 public:
  BruteForce(const UnitView& view, const EmbedderHandle& embedder)
      : view_(view), embedder_(embedder) {}

  Result<std::vector<std::vector<DenseHit>>> Nearest(std::span<const float> queries, size_t k,
                                                     const UnitFilter& filter) override {
    std::vector<std::vector<DenseHit>> nearest;
    for (size_t q = 0; q < queries.size(); q += kWidth) {
      std::vector<DenseHit> hits;
      for (int64_t unit = 0; unit < view_.size(); ++unit) {
        const UnitRow& row = view_.row(unit);
        if (row.question != filter.questions || row.span.end > filter.before) continue;
        hits.push_back({unit, Cosine(unit, queries.subspan(q, kWidth))});
      }
      std::sort(hits.begin(), hits.end(), IsNearer);
      hits.resize(std::min(k, hits.size()));
      nearest.push_back(std::move(hits));
    }
    return nearest;
  }
  Result<std::vector<float>> Cosines(std::span<const int64_t> units,
                                     std::span<const float> queries) override {
    std::vector<float> cosines;
    for (const int64_t unit : units) {
      for (size_t q = 0; q < queries.size(); q += kWidth) {
        cosines.push_back(Cosine(unit, queries.subspan(q, kWidth)));
      }
    }
    return cosines;
  }

 private:
  float Cosine(int64_t unit, std::span<const float> query) const {
    std::vector<float> vector(kWidth);
    const size_t layer = view_.LayerOf(unit);
    if (layer < view_.layers().size()) {
      EXPECT_TRUE(view_.layers()[layer]->units.ReadVector(view_.row(unit), vector));
    } else {
      const auto begin = view_.tail().vectors.begin() + (unit - view_.first(layer)) * kWidth;
      vector.assign(begin, begin + kWidth);
    }
    float cosine = 0;
    embedder_.scan(vector, query, {&cosine, 1});
    return cosine;
  }

  const UnitView& view_;
  const EmbedderHandle& embedder_;
};

// A stream, a fork of it and the fork's tail, of random sentences that often say nearly the same.
class RandomStore {
 public:
  explicit RandomStore(uint32_t seed, int units_of_layer) : random_(seed) {
    for (int i = 0; i < 2; ++i) {
      dbs_.push_back(OpenStore(":memory:", "the file").value());
      EXPECT_TRUE(dbs_.back()->Exec("INSERT INTO stream(id, name, tokenizer) VALUES(1, 's', 't')"));
      layers_.push_back(std::make_unique<IndexLayer>(dbs_.back().get(), 1, "s", kWidth));
      layers_.back()->text_begin = text_;
      for (int n = 0; n < units_of_layer; ++n) AddUnit(layers_.back().get());
    }
    for (int n = 0; n < units_of_layer / 8; ++n) AddUnit(nullptr);
    view_.emplace(std::vector<const IndexLayer*>{layers_[0].get(), layers_[1].get()}, &tail_);
  }

  const UnitView& view() const { return *view_; }
  StreamPos end() const { return StreamPos(text_); }
  uint32_t Random(uint32_t n) { return static_cast<uint32_t>(random_()) % n; }
  std::string Sentence() {
    static constexpr const char* kWords[] = {"bridge", "river", "stone", "old",   "mill",  "winter",
                                             "Anna",   "Berta", "piano", "green", "seven", "train"};
    std::string text = "the";
    for (uint32_t n = 2 + Random(4); n > 0; --n) text += std::string(" ") + kWords[Random(12)];
    return text;
  }
  std::vector<float> Vector(std::string_view text) {
    std::vector<float> vector(kWidth);
    EXPECT_TRUE(embedder_.embed({&text, 1}, vector));
    // Near duplicates.
    for (float& v : vector) v += 1e-4f * static_cast<float>(Random(100)) / 100;
    float norm = 0;
    for (const float v : vector) norm += v * v;
    for (float& v : vector) v /= std::sqrt(norm);
    return vector;
  }
  const EmbedderHandle& embedder() const { return embedder_; }

 private:
  void AddUnit(IndexLayer* layer) {
    const std::string text = Sentence() + ".";
    StoredRecord stored;
    JournalRecord& record = stored.record;
    record.begin = StreamPos(text_);
    record.turn = turn_++;
    record.role = Random(3) == 0 ? Role::kAssistant : Role::kUser;
    record.bytes = text;
    for (uint32_t i = 1; i <= text.size(); ++i) {
      record.ids.push_back(TokenId(1));
      record.token_ends.push_back(i);
    }
    stored.end = record.end();
    stored.text_begin = text_;
    UnitRow unit;
    unit.text_begin = text_;
    unit.text_end = text_ + static_cast<int64_t>(text.size());
    unit.span = {record.begin, stored.end};
    unit.turn = record.turn;
    unit.role = record.role;
    unit.question = Random(5) == 0;
    text_ = unit.text_end + 1;
    const std::vector<float> vector = Vector(text);
    // The tail's text is in the journal of the last layer.
    EXPECT_TRUE(layers_.back()->journal.InsertStored(stored));
    if (layer != nullptr) {
      EXPECT_TRUE(layer->units.Insert(&unit, vector, text));
      layer->table.Add(unit, EncodeVector(vector));
      layer->terms.Add(text);
    } else {
      tail_.table.Add(unit, {});
      tail_.vectors.insert(tail_.vectors.end(), vector.begin(), vector.end());
    }
  }

  std::mt19937 random_;
  EmbedderHandle embedder_ = FakeEmbedder(kWidth);
  std::vector<std::unique_ptr<Database>> dbs_;
  std::vector<std::unique_ptr<IndexLayer>> layers_;
  TailUnits tail_{kWidth};
  int64_t text_ = 0, turn_ = 0;
  std::optional<UnitView> view_;
};

void ExpectSameHits(const std::vector<DenseHit>& got, const std::vector<DenseHit>& want) {
  RC_ASSERT(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    RC_ASSERT(got[i].unit == want[i].unit);
    RC_ASSERT(got[i].cosine == want[i].cosine);
  }
}

RC_GTEST_PROP(LocalIndexProperty, FindsWhatAllVectorsWouldGive, ()) {
  RandomStore store(*rc::gen::arbitrary<uint32_t>(), *rc::gen::inRange(0, 120));
  LocalIndex index(store.view(), store.embedder());
  BruteForce brute(store.view(), store.embedder());
  for (int i = 0; i < 4; ++i) {
    std::vector<float> queries;
    for (uint32_t n = store.Random(4); n > 0; --n) {
      const std::vector<float> vector = store.Vector(store.Sentence());
      queries.insert(queries.end(), vector.begin(), vector.end());
    }
    const size_t k = store.Random(40);
    const UnitFilter filter = {
        store.Random(2) == 0,
        StreamPos(store.Random(static_cast<uint32_t>(store.end().value()) + 99))};
    const auto got = index.Nearest(queries, k, filter).value();
    const auto want = brute.Nearest(queries, k, filter).value();
    RC_ASSERT(got.size() == want.size());
    for (size_t q = 0; q < got.size(); ++q) ExpectSameHits(got[q], want[q]);
    std::vector<int64_t> units;
    for (int64_t unit = 0; unit < store.view().size(); unit += 1 + store.Random(9)) {
      units.push_back(unit);
    }
    RC_ASSERT(index.Cosines(units, queries).value() == brute.Cosines(units, queries).value());
  }
}

RC_GTEST_PROP(LocalIndexProperty, RecallHandsOverWhatAllVectorsWouldGive, ()) {
  RandomStore store(*rc::gen::arbitrary<uint32_t>(), *rc::gen::inRange(0, 200));
  LocalIndex index(store.view(), store.embedder());
  BruteForce brute(store.view(), store.embedder());
  const auto null = NullEmbeddings::Create(store.embedder()).value();
  const auto place = [&] {
    return StreamPos(store.Random(static_cast<uint32_t>(store.end().value()) + 1));
  };
  for (int i = 0; i < 3; ++i) {
    const std::string question = store.Sentence() + "?";
    RecallQuery query;
    query.turn_text = question;
    query.mode = store.Random(3) == 0 ? RecallMode::kAlways : RecallMode::kEvicted;
    query.window_begin = place();
    const StreamPos pinned = place(), exclude = place();
    query.pinned = {pinned, pinned + store.Random(50)};
    if (store.Random(2) == 0) query.exclude = {exclude, exclude + store.Random(500)};
    query.threshold = 0.2f;
    const auto got = RecallFrom(store.view(), index, "s", store.embedder(), null, {}, query);
    const auto want = RecallFrom(store.view(), brute, "s", store.embedder(), null, {}, query);
    RC_ASSERT(got && want);
    RC_ASSERT(got->decision == want->decision);
    RC_ASSERT(got->best_score == want->best_score);
    RC_ASSERT(got->passages.size() == want->passages.size());
    for (size_t p = 0; p < got->passages.size(); ++p) {
      const Passage& a = got->passages[p];
      const Passage& b = want->passages[p];
      RC_ASSERT(a.span == b.span);
      RC_ASSERT(a.text == b.text);
      RC_ASSERT(a.score == b.score);
      RC_ASSERT(a.lexical == b.lexical);
    }
  }
}

}  // namespace
}  // namespace anabranch
