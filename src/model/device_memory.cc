#include "model/device_memory.h"

#include <utility>

#include "base/check.h"

namespace anabranch {

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : exec_(other.exec_),
      blocks_(std::exchange(other.blocks_, {})),
      shared_(std::exchange(other.shared_, {})),
      shared_left_(std::exchange(other.shared_left_, 0)),
      bytes_(std::exchange(other.bytes_, 0)) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(exec_, other.exec_);
  std::swap(blocks_, other.blocks_);
  std::swap(shared_, other.shared_);
  std::swap(shared_left_, other.shared_left_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceMemory::~DeviceMemory() {
  for (DevPtr block : blocks_) exec_->table().free(exec_->exec(), block);
}

Result<DevPtr> DeviceMemory::Alloc(size_t bytes, const std::string& what) {
  constexpr size_t kAlignment = 64;
  const bool shares = bytes < kBlockBytes;
  const size_t taken = shares ? (bytes / kAlignment + 1) * kAlignment : bytes;
  DevPtr memory = shared_;
  if (!shares || taken > shared_left_) {
    if (!exec_->table().alloc(exec_->exec(), shares ? kBlockBytes : bytes, &memory)) {
      return Fail(ErrorKind::kLimit, what,
                  "no memory for " + std::to_string(bytes / 1'000'000) + " MB",
                  "use a smaller model or smaller sizes");
    }
    blocks_.push_back(memory);
    if (shares) shared_left_ = kBlockBytes;
  }
  if (shares) {
    shared_.p = memory.p + taken;
    shared_left_ -= taken;
  }
  bytes_ += bytes;
  return memory;
}

Result<Mat> DeviceMemory::AllocMat(int32_t rows, int32_t cols, const std::string& what) {
  const size_t bytes = static_cast<size_t>(rows) * static_cast<size_t>(cols) * sizeof(float);
  ASSIGN_OR_RETURN(const DevPtr data, Alloc(bytes, what));
  return Mat{.data = data, .rows = rows, .cols = cols, .stride = cols, .dtype = DType::kF32};
}

Mat RowsOf(const Mat& mat, int32_t first, int32_t n) {
  ANABRANCH_DCHECK(first >= 0 && n >= 0 && first + n <= mat.rows);
  Mat rows = mat;
  rows.data.p += static_cast<size_t>(first * mat.stride) * sizeof(float);
  rows.rows = n;
  return rows;
}

Result<void> Sync(CpuExec& exec) {
  if (const char* fault = exec.table().sync(exec.exec())) {
    return Fail(ErrorKind::kIo, std::string("kernels '") + exec.table().name + "'", fault);
  }
  return {};
}

}  // namespace anabranch
