// For tests: the scans of an EmbedderHandle, by the reference kernels on the calling thread.
#pragma once

#include "kernels/exec.h"
#include "kernels/tables.h"
#include "memory/memory.h"

namespace anabranch {

inline void AddReferenceScans(EmbedderHandle* embedder) {
  embedder->scan = [](std::span<const float> vectors, std::span<const float> query,
                      std::span<float> scores) {
    for (size_t i = 0; i < scores.size(); ++i) {
      float sum = 0;
      for (size_t j = 0; j < query.size(); ++j) sum += vectors[i * query.size() + j] * query[j];
      scores[i] = sum;
    }
  };
  embedder->scan_codes = [](const CodeRows& codes, std::span<const int16_t> queries,
                            std::span<int32_t> dots) {
    Exec exec{};
    exec.run = [](void*, int64_t n_tasks, void (*fn)(void* arg, int64_t task, int thread),
                  void* arg) {
      for (int64_t task = 0; task < n_tasks; ++task) fn(arg, task, 0);
    };
    kRefKernels.scan_codes(exec, codes, {queries.data(), static_cast<int64_t>(queries.size())},
                           dots.data());
  };
}

}  // namespace anabranch
