// The reference backend: plain C++, the specification that every other table is tested against.
// What an op must compute is said once, in kernels/kernel_table.h; this shows how, in the fewest
// steps. Preconditions are CHECKed. Results do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/exec.h"
#include "kernels/kernel_table.h"

namespace anabranch::ref {

size_t ScratchBytes(const ExecLimits& limits);
bool Alloc(Exec& exec, size_t bytes, DevPtr* out);
void Free(Exec& exec, DevPtr memory);
void Upload(Exec& exec, DevPtr dst, List<const unsigned char> src);
void Download(Exec& exec, List<unsigned char> dst, DevPtr src);
const char* Sync(Exec& exec);

// The packed layout is the file's own.
size_t PackedBytes(GgufType type, int32_t rows, int32_t cols, FloatWeights);
const char* Products(GgufType type);
bool Pack(Exec& exec, List<const unsigned char> raw, GgufType type, int32_t rows, int32_t cols,
          FloatWeights, DevPtr dst, Weight* out);

void Embed(Exec& exec, const Weight& w, DevPtr ids, float scale, Mat out);
void Matmul(Exec& exec, Mat x, List<const Weight> w, List<const DevPtr> bias, bool add,
            List<const Mat> out);
void Gated(Exec& exec, Mat x, const Weight& gate, const Weight& up, Activation activation, Mat out);
void Scan(Exec& exec, Mat vectors, Mat query, Mat scores);
void ScanCodes(Exec& exec, const CodeRows& codes, List<const int16_t> queries, int32_t* dots);

void Read(Exec& exec, List<const unsigned char> data, uint32_t* sums);
int64_t Multiply(Exec& exec, bool floats);

void RmsNorm(Exec& exec, Mat x, DevPtr gain, float eps, Mat out);
void LayerNorm(Exec& exec, Mat x, DevPtr gain, DevPtr bias, float eps, Mat out);
float Activate(Activation activation, float x);
void Activate(Exec& exec, Mat x, Activation activation);

// An arena here is k, v: [n_kv_heads, slots, head_dim].
void Append(Exec& exec, Mat k, Mat v, const Rope& rope, DevPtr stored_pos, DevPtr slot,
            const KvArena& arena);
void Attend(Exec& exec, Mat q, const Rope& rope, const KvArena& arena, const AttendPlan& plan,
            int32_t layer, const AttendOptions& options, Mat out);

template <typename T>
T* As(DevPtr memory) {
  return reinterpret_cast<T*>(memory.p);
}

inline float* Row(const Mat& m, int64_t r) { return As<float>(m.data) + r * m.stride; }

// Runs fn(task, thread) for all tasks in [0, n_tasks) and returns when they have ended.
template <typename Fn>
void ParallelFor(Exec& exec, int64_t n_tasks, Fn fn) {
  exec.run(
      exec.pool, n_tasks,
      [](void* arg, int64_t task, int thread) { (*static_cast<Fn*>(arg))(task, thread); }, &fn);
}

// Floats of scratch that belong to `thread`: at least ScratchFloats(exec.limits).
int64_t ScratchFloats(const ExecLimits& limits);
float* ThreadScratch(const Exec& exec, int thread);

// Weight rows that a matmul task dequantises together, so that x is read once for all of them.
inline constexpr int kRowsPerTask = 8;
// Keys that attention turns into one partial state.
inline constexpr int kKeysPerBlock = 64;

}  // namespace anabranch::ref
