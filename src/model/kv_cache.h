// The keys and values of one stream: an arena per layer in backend memory. Positions and slots are
// kv/kv_context.h's business; this only owns the bytes.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "kernels/cpu_exec.h"
#include "model/device_memory.h"

namespace anabranch {

struct KvShape {
  int32_t n_layers = 0, n_kv_heads = 0, head_dim = 0;
  int64_t slots = 0;
  DType dtype = DType::kF16;
};

class KvCache {
 public:
  // All zero, so that what no row sees is a number. The exec must outlive the cache.
  // Error kLimit: no memory, with the size that was wanted.
  static Result<KvCache> Create(CpuExec& exec, const KvShape& shape);
  static size_t Bytes(const KvShape& shape);

  // A copy with arenas of its own: a fork.
  Result<KvCache> Clone() const;
  const KvShape& shape() const { return shape_; }
  const KvArena& layer(int32_t i) const { return arenas_[static_cast<size_t>(i)]; }

 private:
  KvCache(CpuExec& exec, const KvShape& shape) : memory_(exec), shape_(shape) {}
  static Result<KvCache> Allocate(CpuExec& exec, const KvShape& shape);

  DeviceMemory memory_;
  DevPtr data_;  // k of layer 0, v of layer 0, k of layer 1, …
  KvShape shape_;
  std::vector<KvArena> arenas_;
};

}  // namespace anabranch
