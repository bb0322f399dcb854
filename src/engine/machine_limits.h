// What the machine gives at most, and what a model takes of it at least.
#pragma once

#include <cstdint>
#include <vector>

#include "anabranch/engine.h"
#include "base/result.h"
#include "kernels/cpu_exec.h"
#include "model/device_memory.h"
#include "model/model.h"

namespace anabranch {

// Measures again and again beside what is compared with it: the machine may be shared.
class LimitsMeter {
 public:
  // Reads as many bytes as the work that is compared: a cache may hold a part of them.
  static Result<LimitsMeter> Create(CpuExec& exec, int64_t bytes);

  // Some milliseconds. Not while anything else runs on the exec.
  void Measure();
  const MachineLimits& best() const { return best_; }
  // True: one of the measurements fell below 90 % of the best.
  bool disturbed() const;

 private:
  LimitsMeter(DeviceMemory memory, List<const unsigned char> data);

  DeviceMemory memory_;
  List<const unsigned char> data_;
  std::vector<uint32_t> sums_;
  std::vector<MachineLimits> measured_;
  MachineLimits best_;
};

// Bytes that decoding reads for a token: the weights, and the keys and values of a full window.
int64_t BytesOfToken(const Model& model, int64_t n_keys, DType kv_dtype);
// Seconds that the multiply-adds of a token take at least, the head's apart: they are of a step's
// last row alone. n_keys: what it attends to, on average.
double ArithmeticFloor(const ModelConfig& config, double n_keys, const MachineLimits& limits);

}  // namespace anabranch
