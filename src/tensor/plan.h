// The plain data that kernels, kv and model exchange. Everything here is trivially copyable; a
// DevPtr is memory of a backend, read by that backend alone.
//
// A context is an ordered list of segments (docs/architecture.md, "A context is a list of
// segments"). A row (one query token) sees of each band the stored positions [lo, hi), and attends
// to segment s with its query rotated at p = base + delta - offset, so that p - (base + i) is the
// distance in the virtual order although no key was ever moved or re-rotated.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tensor/dtype.h"

namespace anabranch {

// Memory of a backend. On CPUs an ordinary, 64-byte aligned address.
struct DevPtr {
  unsigned char* p = nullptr;
};

// Activations [rows, cols]; row r starts at data + r * stride elements.
struct Mat {
  DevPtr data;
  int32_t rows = 0, cols = 0;
  int64_t stride = 0;
  DType dtype = DType::kF32;
};

// Vectors in 8 bits, in blocks of `block_rows`: vector i is int8[width] at
// blocks[i / block_rows] + i % block_rows * width. width is a multiple of kCodeAlign: codes of
// another width are padded with zeros.
struct CodeRows {
  const DevPtr* blocks = nullptr;
  int64_t n = 0;
  int32_t block_rows = 0, width = 0;
};
constexpr int32_t kCodeAlign = 32;
constexpr int32_t kMaxCodeWidth = 4096;
// A query's codes are that small, so that no sum of kMaxCodeWidth products leaves an int32.
constexpr int32_t kMaxQueryCode = 4095;
static_assert(int64_t{128} * kMaxQueryCode * kMaxCodeWidth <= INT32_MAX);

// A weight [rows = out, cols = in] in a layout of the table that packed it. Made by pack alone.
struct Weight {
  DevPtr data;
  int32_t rows = 0, cols = 0;
  uint16_t format = 0, layout = 0;
};

// Rotary embedding. Angle of pair j at position p: 2*pi * frac(p * inc[j] / 2^64), in 64-bit
// fixed point: no drift at any position. Pairs are (j, j + rot_dim / 2), or (2j, 2j + 1) when
// interleaved (llama architecture in GGUF). rot_dim 0: no rotation.
struct Rope {
  DevPtr inc;  // uint64[rot_dim / 2]
  int32_t rot_dim = 0;
  bool interleaved = false;
  float mscale = 1.0f;  // multiplies sin and cos (YaRN-like scalings); 1 otherwise
};

// Keys and values of one layer: n_kv_heads x slots x head_dim of dtype each, layout the backend's.
// Keys are stored rotated at their own stored position. head_dim is a multiple of kQ8Block in kQ8.
struct KvArena {
  DevPtr k, v;
  int32_t n_kv_heads = 0, slots = 0, head_dim = 0;
  DType dtype = DType::kF16;
};

// Stored positions [base, base + n) in slots [slot, slot + n). `offset` is the virtual position of
// its first key within its band's order: segments of one band with consecutive positions (a ring
// that wraps is two of them) have base - offset in common.
struct Segment {
  int64_t base = 0;
  int32_t slot = 0, n = 0, offset = 0, band = 0;
};

// One per (band, row): of the band's segments the row sees stored positions [lo, hi) and its query
// stands at p = segment.base + delta - segment.offset. lo >= hi: the row sees nothing of the band.
struct BandRow {
  int64_t delta = 0, lo = 0, hi = 0;
};

// What the rows of one step see; shared by all layers, at fixed addresses.
struct AttendPlan {
  DevPtr segments;  // Segment[]: all lists, one after the other
  DevPtr lists;     // int32[n_lists + 1]: list l = segments[lists[l] .. lists[l + 1])
  DevPtr list_of;   // int32[n_layers * n_kv_heads]: the list of a head; null p: all use list 0
  DevPtr bands;     // BandRow[n_bands][max_rows]
  int32_t rows = 0, max_rows = 0, n_bands = 0;
};

struct AttendOptions {
  float scale = 1.0f;    // of q . k
  float softcap = 0.0f;  // 0: none
};

}  // namespace anabranch
