// The operations of an inference backend: data and function pointers only.
//
// Ops enqueue in order; after warm-up none allocates; faults are sticky until sync, which returns
// them. A backend is one table: kernels/ref (plain C++: the specification), kernels/avx2,
// kernels/avx512. All matrices of activations are F32. `List` stands where std::span would: a file
// of one instruction set must not instantiate inline functions that the rest of the program shares.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tensor/plan.h"

namespace anabranch {

template <typename T>
struct List {
  T* data;
  int64_t n;
};

enum class Activation : uint8_t { kSilu, kGelu, kGeluTanh };  // kGelu: exact, with erf

// The largest step that an Exec will see; scratch is planned from it. A matmul beyond it is a
// fault.
struct ExecLimits {
  int32_t max_rows = 0;   // rows of a batch
  int32_t max_cols = 0;   // widest input of a matmul
  int32_t max_heads = 0;  // query heads
  int32_t max_head_dim = 0;
  int32_t max_bands = 0;
  int32_t n_threads = 0;
};

// How a weight of floats is multiplied: as it is; or, about twice as fast, rounded to 16-bit
// integers in blocks of 128 columns, and so are the activations. A step is 1 / 32,767 of a block's
// largest magnitude; of weights at least 1 / 65,471 of the sum of its magnitudes. A table without
// integer products, and a weight whose columns are no multiple of 128, stay with floats.
enum class FloatWeights : uint8_t { kExact, kInt16 };

constexpr int64_t kReadBlock = int64_t{1} << 20;  // bytes

struct Exec;  // CPU: kernels/exec.h

struct KernelTable {
  const char* name;  // "ref", "avx2", "avx512"

  // Bytes of scratch that an Exec of these limits needs (64-byte aligned, shared by all threads).
  size_t (*scratch_bytes)(const ExecLimits&);

  // Backend memory, 64-byte aligned, not initialised. false: out of memory. `free` takes null.
  bool (*alloc)(Exec&, size_t bytes, DevPtr* out);
  void (*free)(Exec&, DevPtr);
  void (*upload)(Exec&, DevPtr dst, List<const unsigned char> src);
  void (*download)(Exec&, List<unsigned char> dst, DevPtr src);
  // Waits for everything enqueued. nullptr, or the first fault since the last sync.
  const char* (*sync)(Exec&);

  // A weight [rows, cols] of GGUF type `type`, raw row-major as in the file, into the table's own
  // layout at dst (packed_bytes of it). packed_bytes is 0 and pack false for a type without a
  // kernel or for cols that the type's block does not divide. Parallel over rows. Weights of kInt16
  // and quantised ones do not go into one matmul (a fault).
  size_t (*packed_bytes)(GgufType type, int32_t rows, int32_t cols, FloatWeights);
  bool (*pack)(Exec&, List<const unsigned char> raw, GgufType type, int32_t rows, int32_t cols,
               FloatWeights, DevPtr dst, Weight* out);

  // How weights of a type are multiplied, for people: "4 x 8 bits" (weights, activations). nullptr
  // for a type without a kernel.
  const char* (*products)(GgufType type);

  // out[r, :] = scale * dequantised row ids[r] of w. ids: int32[out.rows], in [0, w.rows).
  void (*embed)(Exec&, const Weight& w, DevPtr ids, float scale, Mat out);
  // RMSNorm: out = x / sqrt(mean(x^2) + eps) * gain[cols]. out may be x.
  void (*rms_norm)(Exec&, Mat x, DevPtr gain, float eps, Mat out);
  // LayerNorm: out = (x - mean) / sqrt(var + eps) * gain[cols] + bias[cols]. out may be x.
  void (*layer_norm)(Exec&, Mat x, DevPtr gain, DevPtr bias, float eps, Mat out);
  // For each i: out[i] (+)= x * w[i]^T + bias[i]. Weights share x (q, k, v in one call).
  // bias: DevPtr[w.n] of f32[w[i].rows] or null p each; bias.data may be null. add: accumulate.
  void (*matmul)(Exec&, Mat x, List<const Weight> w, List<const DevPtr> bias, bool add,
                 List<const Mat> out);
  // out = act(x * gate^T) .* (x * up^T)
  void (*gated)(Exec&, Mat x, const Weight& gate, const Weight& up, Activation, Mat out);
  // x = act(x), in place.
  void (*activate)(Exec&, Mat x, Activation);
  // Row r of k [rows, n_kv_heads * head_dim], rotated at stored_pos[r] (int64), and of v go to slot
  // slot[r] (int32) of the arena.
  void (*append)(Exec&, Mat k, Mat v, const Rope&, DevPtr stored_pos, DevPtr slot, const KvArena&);
  // Attention of q [rows, n_heads * head_dim], not yet rotated, over the plan's segments: partial
  // states (output, running max, sum) per segment, merged as in flash-decoding. Query head h reads
  // KV head h / (n_heads / n_kv_heads). A row that sees nothing at all gets zeros.
  void (*attend)(Exec&, Mat q, const Rope&, const KvArena&, const AttendPlan&, int32_t layer,
                 const AttendOptions&, Mat out);
  // scores [1, vectors.rows] = vectors [n, d] . query [1, d]: memory's exact search, in F32.
  void (*scan)(Exec&, Mat vectors, Mat query, Mat scores);
  // dots[q, i] = code i . query q, exactly: int32 [n_queries, codes.n]. queries: int16 [n_queries,
  // width], the codes' width, of at most kMaxQueryCode each way.
  void (*scan_codes)(Exec&, const CodeRows& codes, List<const int16_t> queries, int32_t* dots);

  // What the machine gives at most, for the floors that benchmarks are compared with.
  // Reads whole blocks of kReadBlock bytes at data, 64-byte aligned, once: sums[i] = the sum of
  // block i's uint32, modulo 2^32.
  void (*read)(Exec&, List<const unsigned char> data, uint32_t* sums);
  // Multiplies and adds in registers, by all threads, a while: the multiply-adds that were done, of
  // 4-bit weights with 8-bit activations, or of floats.
  int64_t (*multiply)(Exec&, bool floats);
};

}  // namespace anabranch
