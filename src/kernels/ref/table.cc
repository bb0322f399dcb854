#include "kernels/ref/ref.h"
#include "kernels/tables.h"

namespace anabranch {

const KernelTable kRefKernels = {
    .name = "ref",
    .scratch_bytes = ref::ScratchBytes,
    .alloc = ref::Alloc,
    .free = ref::Free,
    .upload = ref::Upload,
    .download = ref::Download,
    .sync = ref::Sync,
    .packed_bytes = ref::PackedBytes,
    .pack = ref::Pack,
    .products = ref::Products,
    .embed = ref::Embed,
    .rms_norm = ref::RmsNorm,
    .layer_norm = ref::LayerNorm,
    .matmul = ref::Matmul,
    .gated = ref::Gated,
    .activate = ref::Activate,
    .append = ref::Append,
    .attend = ref::Attend,
    .scan = ref::Scan,
    .scan_codes = ref::ScanCodes,
    .read = ref::Read,
    .multiply = ref::Multiply,
};

}  // namespace anabranch
