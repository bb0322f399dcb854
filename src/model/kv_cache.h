// The keys and values of one stream: an arena per layer in backend memory. Positions and slots are
// kv/kv_context.h's business; this only owns the bytes.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "kernels/cpu_exec.h"

namespace anabranch {

struct KvShape {
  int32_t n_layers = 0, n_kv_heads = 0, head_dim = 0;
  int64_t slots = 0;
  DType dtype = DType::kF16;
};

class KvCache {
 public:
  // The exec must outlive the cache. Error kLimit: no memory, with the size that was wanted.
  static Result<KvCache> Create(CpuExec& exec, const KvShape& shape);
  static size_t Bytes(const KvShape& shape);
  KvCache(KvCache&&) noexcept;
  KvCache& operator=(KvCache&&) noexcept;
  ~KvCache();

  // A copy with arenas of its own: a fork.
  Result<KvCache> Clone() const;
  const KvShape& shape() const { return shape_; }
  const KvArena& layer(int32_t i) const { return arenas_[static_cast<size_t>(i)]; }

 private:
  explicit KvCache(CpuExec& exec, const KvShape& shape) : exec_(&exec), shape_(shape) {}
  CpuExec* exec_;
  KvShape shape_;
  std::vector<KvArena> arenas_;
};

}  // namespace anabranch
