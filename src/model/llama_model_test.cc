// SmolLM2 against independent implementations: the equations in f64 (tools/golden/llama_numpy.py)
// and llama.cpp (tools/golden/llama_cpp_nll.py).
#include <gtest/gtest.h>

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

TEST_P(SmolLm2OnTable, LogitsOfAPromptEqualTheEquations) {
  // ref computes in F32 with F32 keys and values: it has the equations' logits but for summing.
  // The fast tables round activations to 8 bits at each matrix.
  const double tolerance = GetParam() == "ref" ? 1e-3 : 0.5;
  const nlohmann::json golden = ReadGolden("genesis_logits.json");
  const std::vector<TokenId> prompt = Ids(golden["prompt"]);
  ModelOnTable on(SmolLm2(), GetParam(), 2, kMaxBatch);
  StreamOfModel stream(on, {.n_pinned = 4, .recent_size = 512, .max_batch = kMaxBatch},
                       DType::kF32);
  std::vector<float> logits;
  stream.Read(prompt, 17, &logits);
  const auto n_vocab = static_cast<size_t>(on.model->config().n_vocab);
  for (const nlohmann::json& row : golden["rows"]) {
    const auto own = std::span(logits).subspan(row["row"].get<size_t>() * n_vocab, n_vocab);
    double largest = 0;
    for (size_t i = 0; i < row["ids"].size(); ++i) {
      const auto got = static_cast<double>(own[row["ids"][i].get<size_t>()]);
      largest = std::max(largest, std::abs(got - row["logits"][i].get<double>()));
    }
    EXPECT_LT(largest, tolerance) << "row " << row["row"];
  }
}

TEST(SmolLm2, DensePerplexityEqualsLlamaCpp) {
  const nlohmann::json golden = ReadGolden("genesis_nll.json");
  const std::vector<TokenId> ids = Ids(golden["ids"]);
  ModelOnTable on(SmolLm2(), TablesHere().back(), 2, kMaxBatch);
  const double nll = MeanNll(
      on, {.n_pinned = 4, .recent_size = static_cast<int64_t>(ids.size()), .max_batch = kMaxBatch},
      ids);
  EXPECT_NEAR(std::exp(nll) / std::exp(golden["nll_mean"].get<double>()), 1.0, 0.005);
  // The equations themselves, of which llama.cpp is an approximation too.
  const double exact = ReadGolden("genesis_logits.json")["nll_mean"];
  EXPECT_NEAR(std::exp(nll) / std::exp(exact), 1.0, 0.005);
}

TEST(SmolLm2, WithoutSinksPerplexityIsAtLeastHalfAsMuchAgain) {
  const std::vector<TokenId> ids = Ids(ReadGolden("genesis_nll.json")["ids"]);
  ModelOnTable on(SmolLm2(), TablesHere().back(), 2, kMaxBatch);
  const double with_sinks =
      MeanNll(on, {.n_pinned = 4, .recent_size = 252, .max_batch = kMaxBatch}, ids);
  const double without =
      MeanNll(on, {.n_pinned = 0, .recent_size = 256, .max_batch = kMaxBatch}, ids);
  EXPECT_GE(std::exp(without) / std::exp(with_sinks), 1.5);
}

}  // namespace
}  // namespace anabranch
