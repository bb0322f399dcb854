#include "engine/machine_limits.h"

#include <algorithm>
#include <functional>

#include "base/wall_clock.h"

namespace anabranch {
namespace {

constexpr int kRuns = 5;  // of which the best one counts
constexpr double kDisturbed = 0.9;

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
  best_.read_bytes_per_s = std::max(best_.read_bytes_per_s, now.read_bytes_per_s);
  best_.multiply_adds_per_s = std::max(best_.multiply_adds_per_s, now.multiply_adds_per_s);
  best_.float_multiply_adds_per_s =
      std::max(best_.float_multiply_adds_per_s, now.float_multiply_adds_per_s);
}

bool LimitsMeter::disturbed() const {
  return std::any_of(measured_.begin(), measured_.end(), [&](const MachineLimits& now) {
    return now.read_bytes_per_s < kDisturbed * best_.read_bytes_per_s ||
           now.multiply_adds_per_s < kDisturbed * best_.multiply_adds_per_s ||
           now.float_multiply_adds_per_s < kDisturbed * best_.float_multiply_adds_per_s;
  });
}

int64_t BytesOfToken(const Model& model, int64_t n_keys) {
  constexpr int64_t kKeyBytes = 2 * 2;  // a key and a value in 16 bits
  const ModelConfig& c = model.config();
  return static_cast<int64_t>(model.weight_bytes()) +
         n_keys * c.n_layers * c.n_kv_heads * c.head_dim * kKeyBytes;
}

double ArithmeticFloor(const ModelConfig& c, double n_keys, const MachineLimits& limits) {
  const double width = c.n_embd, q = double{1} * c.n_heads * c.head_dim;
  const double kv = double{1} * c.n_kv_heads * c.head_dim;
  const double weights = c.n_layers * (2 * width * q + 2 * width * kv + 3 * width * c.n_ff);
  const double attention = c.n_layers * 2 * q * n_keys;
  return weights / limits.multiply_adds_per_s + attention / limits.float_multiply_adds_per_s;
}

}  // namespace anabranch
