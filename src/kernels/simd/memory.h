// Backend memory of a CPU: the heap. Ops are synchronous, so sync only reports faults.
#pragma once

#include <stdlib.h>

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

inline bool Alloc(Exec&, size_t bytes, DevPtr* out) {
  if (bytes > SIZE_MAX / 2) return false;
  out->p = static_cast<unsigned char*>(aligned_alloc(64, bytes / 64 * 64 + 64));
  return out->p != nullptr;
}

inline void Free(Exec&, DevPtr memory) { free(memory.p); }

inline void Upload(Exec&, DevPtr dst, List<const unsigned char> src) {
  if (src.n > 0) memcpy(dst.p, src.data, static_cast<size_t>(src.n));
}

inline void Download(Exec&, List<unsigned char> dst, DevPtr src) {
  if (dst.n > 0) memcpy(dst.data, src.p, static_cast<size_t>(dst.n));
}

inline const char* Sync(Exec& exec) {
  const char* fault = exec.fault;
  exec.fault = nullptr;
  return fault;
}

}  // namespace
}  // namespace anabranch
