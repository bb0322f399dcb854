// One step as kv plans it: where each row's K and V go, and what each row sees. Host memory of a
// fixed capacity: planning allocates nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/plan.h"

namespace anabranch {

struct StepPlan {
  StepPlan(int32_t max_rows_of_step, int32_t max_bands, int32_t max_segments);

  // Starts a step of 1 <= n_rows <= max_rows rows with no segments.
  void Begin(int32_t n_rows, int32_t n_bands_of_step);
  BandRow& At(int32_t band, int32_t row);

  int32_t rows = 0;
  int32_t n_bands = 0;
  int32_t max_rows = 0;
  std::vector<int64_t> stored_pos;  // [max_rows]: the position that each row's key is rotated at
  std::vector<int32_t> slots;       // [max_rows]
  std::vector<Segment> segments;    // size() is the true count; its capacity never grows
  std::vector<BandRow> bands;       // [max_bands][max_rows]: row r of band b at b * max_rows + r
};

}  // namespace anabranch
