// Memory of a backend, owned: freed with its owner.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernels/cpu_exec.h"

namespace anabranch {

// Small requests share blocks of kBlockBytes, so that a model's weights lie on few and large pages.
//
// Invariant: every block came from exec's table and is freed exactly once. The exec must outlive
// it.
class DeviceMemory {
 public:
  explicit DeviceMemory(CpuExec& exec) : exec_(&exec) {}
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();

  static constexpr size_t kBlockBytes = size_t{8} << 20;

  CpuExec& exec() const { return *exec_; }
  size_t bytes() const { return bytes_; }  // that were asked for

  // 64-byte aligned. Error kLimit: no memory, with `what` it was for and the size.
  Result<DevPtr> Alloc(size_t bytes, const std::string& what);
  Result<Mat> AllocMat(int32_t rows, int32_t cols, const std::string& what);

 private:
  CpuExec* exec_;
  std::vector<DevPtr> blocks_;
  DevPtr shared_;           // what is left of the block that small requests share
  size_t shared_left_ = 0;  // its bytes
  size_t bytes_ = 0;
};

template <typename T>
List<const unsigned char> BytesOf(std::span<const T> values) {
  return {reinterpret_cast<const unsigned char*>(values.data()),
          static_cast<int64_t>(values.size_bytes())};
}

// Rows [first, first + n) of a matrix of F32.
Mat RowsOf(const Mat& mat, int32_t first, int32_t n);

// The fault of anything enqueued since the last call, as an error.
Result<void> Sync(CpuExec& exec);

}  // namespace anabranch
