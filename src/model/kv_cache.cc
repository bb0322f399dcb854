#include "model/kv_cache.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace anabranch {
namespace {

constexpr size_t kAlignment = 64;   // of an arena's k and v
constexpr size_t kChunk = 1 << 20;  // bytes of host memory that a copy passes through

size_t ArenaBytes(const KvShape& shape) {
  const auto bytes =
      static_cast<size_t>(shape.n_kv_heads * shape.slots * DTypeBytes(shape.dtype, shape.head_dim));
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

DevPtr Offset(DevPtr data, size_t bytes) { return DevPtr{data.p + bytes}; }

}  // namespace

size_t KvCache::Bytes(const KvShape& shape) {
  return ArenaBytes(shape) * 2 * static_cast<size_t>(shape.n_layers);
}

Result<KvCache> KvCache::Allocate(CpuExec& exec, const KvShape& shape) {
  ANABRANCH_CHECK(shape.n_layers >= 1 && shape.n_kv_heads >= 1 && shape.head_dim >= 1);
  ANABRANCH_CHECK(shape.slots >= 1 && shape.slots <= std::numeric_limits<int32_t>::max());
  KvCache cache(exec, shape);
  ASSIGN_OR_RETURN(cache.data_, cache.memory_.Alloc(Bytes(shape), "keys and values"));
  const size_t arena_bytes = ArenaBytes(shape);
  for (int32_t layer = 0; layer < shape.n_layers; ++layer) {
    const DevPtr k = Offset(cache.data_, arena_bytes * 2 * static_cast<size_t>(layer));
    cache.arenas_.push_back({.k = k,
                             .v = Offset(k, arena_bytes),
                             .n_kv_heads = shape.n_kv_heads,
                             .slots = static_cast<int32_t>(shape.slots),
                             .head_dim = shape.head_dim,
                             .dtype = shape.dtype});
  }
  return cache;
}

Result<KvCache> KvCache::Create(CpuExec& exec, const KvShape& shape) {
  ASSIGN_OR_RETURN(KvCache cache, Allocate(exec, shape));
  const std::vector<unsigned char> zeros(kChunk);
  const size_t size = Bytes(shape);
  for (size_t at = 0; at < size; at += kChunk) {
    const auto n = static_cast<int64_t>(std::min(kChunk, size - at));
    exec.table().upload(exec.exec(), Offset(cache.data_, at), {zeros.data(), n});
  }
  RETURN_IF_ERROR(Sync(exec));
  return cache;
}

Result<KvCache> KvCache::Clone() const {
  CpuExec& exec = memory_.exec();
  ASSIGN_OR_RETURN(KvCache copy, Allocate(exec, shape_));
  std::vector<unsigned char> chunk(kChunk);
  const size_t size = Bytes(shape_);
  for (size_t at = 0; at < size; at += kChunk) {
    const auto n = static_cast<int64_t>(std::min(kChunk, size - at));
    exec.table().download(exec.exec(), {chunk.data(), n}, Offset(data_, at));
    exec.table().upload(exec.exec(), Offset(copy.data_, at), {chunk.data(), n});
  }
  RETURN_IF_ERROR(Sync(exec));
  return copy;
}

}  // namespace anabranch
