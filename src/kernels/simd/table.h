// The table of all ops. An instruction set's kernels.cc includes its vec.h first, because
// everything here is written over it, and exports MakeTable's result.
#pragma once

#include "kernels/simd/append.h"
#include "kernels/simd/attend.h"
#include "kernels/simd/embed.h"
#include "kernels/simd/limits.h"
#include "kernels/simd/matmul.h"
#include "kernels/simd/memory.h"
#include "kernels/simd/pack.h"
#include "kernels/simd/rows.h"
#include "kernels/simd/scan_codes.h"
#include "kernels/simd/scratch.h"

namespace anabranch {
namespace {

constexpr KernelTable MakeTable(const char* name) {
  return {name,   ScratchBytes, Alloc, Free,      Upload,    Download, Sync,  PackedBytes,
          Pack,   Products,     Embed, RmsNorm,   LayerNorm, Matmul,   Gated, ActivateInPlace,
          Append, Attend,       Scan,  ScanCodes, Read,      Multiply};
}

}  // namespace
}  // namespace anabranch
