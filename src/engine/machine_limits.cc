#include "engine/machine_limits.h"

#include <algorithm>
#include <functional>

#include "base/wall_clock.h"
#include "model/kv_cache.h"

namespace anabranch {
namespace {

constexpr int kRuns = 5;  // of which the best one counts
constexpr double kDisturbed = 0.9;
constexpr double MachineLimits::*kLimits[] = {&MachineLimits::read_bytes_per_s,
                                              &MachineLimits::multiply_adds_per_s,
                                              &MachineLimits::float_multiply_adds_per_s};

// The most of `amount` per second.
double BestRate(const std::function<double()>& amount) {
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const Stopwatch watch;
    const double done = amount();
    best = std::max(best, done * 1000 / watch.Ms());
  }
  return best;
}

}  // namespace

LimitsMeter::LimitsMeter(DeviceMemory memory, List<const unsigned char> data)
    : memory_(std::move(memory)), data_(data), sums_(static_cast<size_t>(data.n / kReadBlock)) {}

Result<LimitsMeter> LimitsMeter::Create(CpuExec& exec, int64_t bytes) {
  DeviceMemory memory(exec);
  const int64_t n = std::max<int64_t>(1, bytes / kReadBlock) * kReadBlock;
  ASSIGN_OR_RETURN(const DevPtr data,
                   memory.Alloc(static_cast<size_t>(n), "the benchmark of memory"));
  const std::vector<unsigned char> block(kReadBlock, 1);
  for (int64_t at = 0; at < n; at += kReadBlock) {
    exec.table().upload(exec.exec(), {data.p + at}, BytesOf(std::span(block)));
  }
  return LimitsMeter(std::move(memory), {data.p, n});
}

void LimitsMeter::Measure() {
  const KernelTable& ops = memory_.exec().table();
  Exec& exec = memory_.exec().exec();
  MachineLimits now;
  now.read_bytes_per_s = BestRate([&] {
    ops.read(exec, data_, sums_.data());
    return static_cast<double>(data_.n);
  });
  now.multiply_adds_per_s =
      BestRate([&] { return static_cast<double>(ops.multiply(exec, /*floats=*/false)); });
  now.float_multiply_adds_per_s =
      BestRate([&] { return static_cast<double>(ops.multiply(exec, /*floats=*/true)); });
  measured_.push_back(now);
  for (const auto limit : kLimits) best_.*limit = std::max(best_.*limit, now.*limit);
}

bool LimitsMeter::disturbed() const {
  for (const MachineLimits& now : measured_) {
    for (const auto limit : kLimits) {
      if (now.*limit < kDisturbed * best_.*limit) return true;
    }
  }
  return false;
}

int64_t BytesOfToken(const Model& model, int64_t n_keys, DType kv_dtype) {
  const ModelConfig& c = model.config();
  const KvShape window = {.n_layers = c.n_layers,
                          .n_kv_heads = c.n_kv_heads,
                          .head_dim = c.head_dim,
                          .slots = n_keys,
                          .dtype = kv_dtype};
  return static_cast<int64_t>(model.weight_bytes() + KvCache::Bytes(window));
}

double ArithmeticFloor(const ModelConfig& c, double n_keys, const MachineLimits& limits) {
  const double width = c.n_embd, q = double{1} * c.n_heads * c.head_dim;
  const double kv = double{1} * c.n_kv_heads * c.head_dim;
  const double weights = c.n_layers * (2 * width * q + 2 * width * kv + 3 * width * c.n_ff);
  const double attention = c.n_layers * 2 * q * n_keys;
  return weights / limits.multiply_adds_per_s + attention / limits.float_multiply_adds_per_s;
}

}  // namespace anabranch
