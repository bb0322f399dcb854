// The AVX-512 table: kernels/simd over the vectors of this folder's vec.h. Its one symbol is the
// table.
#include "kernels/avx512/vec.h"
// vec.h comes first: the ops are written over it.
#include "kernels/simd/table.h"
#include "kernels/tables.h"

namespace anabranch {

const KernelTable kAvx512Kernels = MakeTable("avx512");

}  // namespace anabranch
