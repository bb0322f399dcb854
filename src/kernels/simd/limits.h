// What the machine gives at most: memory that is only read, and multiplications that nothing waits
// for.
#pragma once

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

struct ReadJob {
  const unsigned char* data;
  uint32_t* sums;
};

inline void ReadTask(const ReadJob& job, int64_t block, int) {
  const unsigned char* bytes = job.data + block * kReadBlock;
  constexpr int64_t kVec = sizeof(VecI), kVecs = 4;
  VecI sums[kVecs] = {ZeroI(), ZeroI(), ZeroI(), ZeroI()};
  for (int64_t i = 0; i < kReadBlock; i += kVecs * kVec) {
    for (int64_t v = 0; v < kVecs; ++v) {
      ReadAhead(bytes + i + v * kVec);
      sums[v] = AddI(sums[v], LoadBytes(bytes + i + v * kVec));
    }
  }
  job.sums[block] =
      static_cast<uint32_t>(SumI(AddI(AddI(sums[0], sums[1]), AddI(sums[2], sums[3]))));
}

inline void Read(Exec& exec, List<const unsigned char> data, uint32_t* sums) {
  Parallel<ReadJob, ReadTask>(exec, {data.data, sums}, data.n / kReadBlock);
}

struct MultiplyJob {
  bool floats;
  float* sums;  // [n_threads]: nothing is left out whose result is used
};

constexpr int kSums =
    12;  // independent ones: more than a multiplication takes cycles, on two units
constexpr int64_t kTimes = 4096;

// An array of them GCC 12 would keep in memory.
template <int kN>
struct IndependentDots {
  BlockDot<4> first;
  IndependentDots<kN - 1> others;

  void Add(VecI w, const int8_t* x) {
    first.Add(w, x);
    others.Add(w, x + 4);
  }
  VecF Total() const { return ::anabranch::Add(ToFloat(first.Total()), others.Total()); }
};
template <>
struct IndependentDots<0> {
  void Add(VecI, const int8_t*) {}
  VecF Total() const { return Zero(); }
};

inline void MultiplyTask(const MultiplyJob& job, int64_t, int thread) {
  VecF sum = Zero();
  if (job.floats) {
    VecF sums[kSums], x = Held(Set1(0.001f));
    for (VecF& s : sums) s = Zero();
    for (int64_t i = 0; i < kTimes; ++i) {
      for (VecF& s : sums) s = Held(Fma(x, x, s));
    }
    for (const VecF& s : sums) sum = Add(sum, s);
  } else {
    int8_t x[4 * kSums];  // others for each: equal products would be one
    for (int i = 0; i < 4 * kSums; ++i) x[i] = static_cast<int8_t>(i);
    alignas(64) unsigned char weights[sizeof(VecI)];
    memset(weights, 15, sizeof(weights));
    VecI w = LoadBytes(weights);
    IndependentDots<kSums> dots;
    for (int64_t i = 0; i < kTimes; ++i) dots.Add(w = Held(w), x);
    sum = dots.Total();
  }
  job.sums[thread] = Sum(sum);
}

inline int64_t Multiply(Exec& exec, bool floats) {
  constexpr int64_t kTasksPerThread = 8;
  const int64_t n_tasks = kTasksPerThread * Max(1, exec.limits.n_threads);
  Parallel<MultiplyJob, MultiplyTask>(exec, {floats, reinterpret_cast<float*>(exec.scratch)},
                                      n_tasks);
  return n_tasks * kTimes * kSums * kWidth * (floats ? 1 : 4);
}

}  // namespace
}  // namespace anabranch
