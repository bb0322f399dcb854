// For tests: a model on a table of kernels, and streams that it reads.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cpu_exec.h"
#include "kv/kv_context.h"
#include "model/model.h"

namespace anabranch {

// The tables that this CPU runs.
inline std::vector<std::string> TablesHere() {
  std::vector<std::string> names;
  for (const char* name : {"ref", "avx2", "avx512"}) {
    if (SelectKernels(name)) names.emplace_back(name);
  }
  return names;
}

struct ModelOnTable {
  ModelOnTable(const GgufFile& gguf, const std::string& table, int n_threads = 1,
               int32_t max_batch = 64)
      : pool(n_threads), options{.max_batch = max_batch} {
    const ModelConfig config = ReadModelConfig(gguf).value();
    exec =
        CpuExec::Create(*SelectKernels(table).value(), pool, ModelLimits(config, options)).value();
    model = OpenModel(gguf, *exec, options).value();
  }

  ThreadPool pool;
  ModelOptions options;
  std::unique_ptr<CpuExec> exec;
  std::unique_ptr<Model> model;
};

class StreamOfModel {
 public:
  StreamOfModel(ModelOnTable& on, KvSizes sizes, DType kv_dtype)
      : StreamOfModel(on, sizes,
                      KvCache::Create(*on.exec, Shape(*on.model, sizes, kv_dtype)).value()) {}
  StreamOfModel(ModelOnTable& on, const KvSizes& sizes, KvCache cache_of_stream)
      : kv(sizes),
        cache(std::move(cache_of_stream)),
        model_(*on.model),
        plan_(sizes.max_batch, KvContext::kMaxBands, KvContext::kMaxSegments) {}

  // Reads tokens of the stream, `batch` at a time; appends all rows' logits to `logits`, if any.
  void Read(std::span<const TokenId> tokens, size_t batch, std::vector<float>* logits = nullptr) {
    while (!tokens.empty()) {
      const auto step = tokens.first(std::min(batch, tokens.size()));
      const auto n = static_cast<int32_t>(step.size());
      kv.PlanStream(n, &plan_);
      Run(step, logits);
      kv.CommitStream(n);
      tokens = tokens.subspan(step.size());
    }
  }
  void Recall(std::span<const TokenId> tokens, size_t batch, std::vector<float>* logits = nullptr) {
    kv.OpenRecalled();
    while (!tokens.empty()) {
      const auto step = tokens.first(std::min(batch, tokens.size()));
      const auto n = static_cast<int32_t>(step.size());
      kv.PlanRecalled(n, &plan_);
      Run(step, logits);
      kv.CommitRecalled(n);
      tokens = tokens.subspan(step.size());
    }
  }

  KvContext kv;
  KvCache cache;

 private:
  static KvShape Shape(const Model& model, const KvSizes& sizes, DType dtype) {
    const ModelConfig& config = model.config();
    return {.n_layers = config.n_layers,
            .n_kv_heads = config.n_kv_heads,
            .head_dim = config.head_dim,
            .slots = KvContext::Slots(sizes),
            .dtype = dtype};
  }

  void Run(std::span<const TokenId> tokens, std::vector<float>* logits) {
    ASSERT_TRUE(model_.Forward(tokens, plan_, cache));
    if (logits == nullptr) return;
    for (int32_t row = 0; row < plan_.rows; row += Model::kMaxLogitRows) {
      const int32_t n = std::min(Model::kMaxLogitRows, plan_.rows - row);
      const std::span<const float> some = model_.Logits(row, n).value();
      logits->insert(logits->end(), some.begin(), some.end());
    }
  }

  Model& model_;
  StepPlan plan_;
};

}  // namespace anabranch
