#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "kernels/ref/ref.h"

namespace anabranch::ref {

void Read(Exec& exec, List<const unsigned char> data, uint32_t* sums) {
  ANABRANCH_CHECK(data.n % kReadBlock == 0);
  ParallelFor(exec, data.n / kReadBlock, [=](int64_t block, int) {
    const unsigned char* bytes = data.data + block * kReadBlock;
    uint32_t sum = 0;
    for (int64_t i = 0; i < kReadBlock; i += int64_t{sizeof(uint32_t)}) {
      uint32_t word;
      std::memcpy(&word, bytes + i, sizeof(word));
      sum += word;
    }
    sums[block] = sum;
  });
}

int64_t Multiply(Exec& exec, bool floats) {
  constexpr int64_t kTasksPerThread = 8, kTimes = 1 << 16;
  const int64_t n_tasks = kTasksPerThread * exec.limits.n_threads;
  ParallelFor(exec, n_tasks, [=](int64_t, int) {
    volatile float float_sum = 0;
    volatile int32_t sum = 0;
    for (int64_t i = 0; i < kTimes; ++i) {
      if (floats) {
        float_sum = float_sum + 1.0f * 0.001f;
      } else {
        sum = sum + 15 * 1;
      }
    }
  });
  return n_tasks * kTimes;
}

}  // namespace anabranch::ref
