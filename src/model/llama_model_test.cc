// SmolLM2 against independent implementations: the equations in f64 (tools/golden/llama_numpy.py)
// and llama.cpp (tools/golden/llama_cpp_golden.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "model/golden_file.h"
#include "model/stream_of_model.h"

namespace anabranch {
namespace {

constexpr int32_t kMaxBatch = 256;

const GgufFile& SmolLm2() {
  static const GgufFile gguf =
      GgufFile::Open(ANABRANCH_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf").value();
  return gguf;
}

// -ln p(token) under a row of logits.
double Nll(std::span<const float> logits, TokenId token) {
  double top = -1e30, sum = 0;
  for (float logit : logits) top = std::max(top, static_cast<double>(logit));
  for (float logit : logits) sum += std::exp(static_cast<double>(logit) - top);
  return top + std::log(sum) - static_cast<double>(logits[static_cast<size_t>(token.value())]);
}

// The mean nll of all tokens but the first, read with a context of these sizes.
double MeanNll(ModelOnTable& on, const KvSizes& sizes, const std::vector<TokenId>& ids) {
  StreamOfModel stream(on, sizes, DType::kF16);
  const auto n_vocab = static_cast<size_t>(on.model->config().n_vocab);
  const std::span<const TokenId> tokens(ids);
  double sum = 0;
  std::vector<float> logits;
  for (size_t at = 0; at < ids.size(); at += kMaxBatch) {
    const auto batch = tokens.subspan(at, std::min<size_t>(kMaxBatch, ids.size() - at));
    logits.clear();
    stream.Read(batch, kMaxBatch, &logits);
    for (size_t r = 0; r < batch.size() && at + r + 1 < ids.size(); ++r) {
      sum += Nll(std::span(logits).subspan(r * n_vocab, n_vocab), ids[at + r + 1]);
    }
  }
  return sum / static_cast<double>(ids.size() - 1);
}

class SmolLm2OnTable : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Tables, SmolLm2OnTable, ::testing::ValuesIn(TablesHere()),
                         [](const auto& table) { return table.param; });

struct Difference {
  double largest = 0, mean = 0;
};

// Of all logits that the golden files hold, as two columns.
Difference Compare(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  Difference d;
  for (size_t i = 0; i < a.size(); ++i) {
    d.largest = std::max(d.largest, std::abs(a[i] - b[i]));
    d.mean += std::abs(a[i] - b[i]) / static_cast<double>(a.size());
  }
  return d;
}

std::vector<double> GoldenLogits(const nlohmann::json& golden) {
  std::vector<double> logits;
  for (const nlohmann::json& row : golden["rows"]) {
    const auto of_row = row["logits"].get<std::vector<double>>();
    logits.insert(logits.end(), of_row.begin(), of_row.end());
  }
  return logits;
}

TEST_P(SmolLm2OnTable, LogitsOfAPromptEqualTheEquations) {
  const nlohmann::json golden = ReadGolden("genesis_equations.json");
  std::vector<TokenId> prompt = Ids(golden["ids"]);
  prompt.resize(golden["rows"].back()["row"].get<size_t>() + 1);
  ModelOnTable on(SmolLm2(), GetParam(), 2, kMaxBatch);
  StreamOfModel stream(on, {.n_pinned = 4, .recent_size = 512, .max_batch = kMaxBatch},
                       DType::kF32);
  std::vector<float> logits;
  stream.Read(prompt, 17, &logits);
  const auto n_vocab = static_cast<size_t>(on.model->config().n_vocab);
  std::vector<double> own;
  for (const nlohmann::json& row : golden["rows"]) {
    for (const size_t id : row["ids"]) {
      own.push_back(static_cast<double>(logits[row["row"].get<size_t>() * n_vocab + id]));
    }
  }

  const std::vector<double> exact = GoldenLogits(golden);
  if (GetParam() == "ref") {
    // All in F32: the equations' logits, but for summing in another order.
    EXPECT_LT(Compare(own, exact).largest, 1e-3);
  } else {
    // Rounding activations to 8 bits, as llama.cpp does, leads no further away than there.
    const Difference llama_cpp = Compare(GoldenLogits(ReadGolden("genesis_llama_cpp.json")), exact);
    EXPECT_LT(Compare(own, exact).mean, 1.2 * llama_cpp.mean);
    EXPECT_LT(Compare(own, exact).largest, 1.5 * llama_cpp.largest);
  }
}

TEST(SmolLm2, DensePerplexityEqualsLlamaCppAndTheEquations) {
  const std::vector<TokenId> ids = Ids(ReadGolden("genesis_equations.json")["ids"]);
  ModelOnTable on(SmolLm2(), TablesHere().back(), 2, kMaxBatch);
  const double nll = MeanNll(
      on, {.n_pinned = 4, .recent_size = static_cast<int64_t>(ids.size()), .max_batch = kMaxBatch},
      ids);
  for (const char* golden : {"genesis_llama_cpp.json", "genesis_equations.json"}) {
    EXPECT_NEAR(std::exp(nll - ReadGolden(golden)["nll_mean"].get<double>()), 1.0, 0.005) << golden;
  }
}

TEST(SmolLm2, WithoutSinksPerplexityIsAtLeastHalfAsMuchAgain) {
  const std::vector<TokenId> ids = Ids(ReadGolden("genesis_equations.json")["ids"]);
  ModelOnTable on(SmolLm2(), TablesHere().back(), 2, kMaxBatch);
  const double with_sinks =
      MeanNll(on, {.n_pinned = 4, .recent_size = 252, .max_batch = kMaxBatch}, ids);
  const double without =
      MeanNll(on, {.n_pinned = 0, .recent_size = 256, .max_batch = kMaxBatch}, ids);
  EXPECT_GE(std::exp(without) / std::exp(with_sinks), 1.5);
}

}  // namespace
}  // namespace anabranch
