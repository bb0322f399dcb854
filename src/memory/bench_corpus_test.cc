#include "memory/bench_corpus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "anabranch/bench.h"
#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

float Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0f);
}

TEST(BenchCorpus, IsTheSameEverywhere) {
  const BenchCorpus corpus(1000);
  EXPECT_EQ(corpus.Sentence(7), BenchCorpus(5000).Sentence(7));
  EXPECT_EQ(corpus.Vector(7), BenchCorpus(5000).Vector(7));
  EXPECT_NE(corpus.Sentence(7), corpus.Sentence(8));
  for (int64_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(Cosine(corpus.Vector(i), corpus.Vector(i)), 1, 1e-5);
  }
}

TEST(BenchCorpus, AQuestionIsCloseToSomeSentenceAndToFewOthers) {
  constexpr int64_t kSize = 1000;
  const BenchCorpus corpus(kSize);
  for (int64_t q = 0; q < 10; ++q) {
    const std::vector<float> question = corpus.QuestionVector(q);
    int64_t close = 0;
    for (int64_t i = 0; i < kSize; ++i) close += Cosine(question, corpus.Vector(i)) > 0.7f ? 1 : 0;
    EXPECT_GE(close, 1);
    EXPECT_LE(close, 10);
  }
}

TEST(BenchMemory, MeasuresAStoreAndLeavesNoFile) {
  TempDir dir;
  MemoryBenchOptions options;
  options.sizes = {150, 300};
  options.folder = dir.File("");
  options.n_questions = 20;
  options.n_threads = 1;
  options.resident_bytes = [] { return 0; };
  std::vector<MemoryBenchRow> rows;
  ASSERT_TRUE(BenchMemory(options, [&](const MemoryBenchRow& row) { rows.push_back(row); }));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].vectors, 300);
  EXPECT_EQ(rows[1].recall_at_10, 1);
  EXPECT_GT(rows[1].passages, 0);
  EXPECT_TRUE(std::filesystem::is_empty(dir.File("")));

  options.stores = {"mysql:x"};
  EXPECT_EQ(BenchMemory(options, [](const MemoryBenchRow&) {}).error().kind, ErrorKind::kInvalid);
  options.stores = {"sqlite"};
  options.folder = dir.File("no/such/folder");
  EXPECT_EQ(BenchMemory(options, [](const MemoryBenchRow&) {}).error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace anabranch
