#include "kv/step_plan.h"

#include "base/check.h"

namespace anabranch {

StepPlan::StepPlan(int32_t max_rows_of_step, int32_t max_bands, int32_t max_segments)
    : max_rows(max_rows_of_step) {
  ANABRANCH_CHECK(max_rows >= 1 && max_bands >= 1 && max_segments >= 1);
  stored_pos.resize(static_cast<size_t>(max_rows));
  slots.resize(static_cast<size_t>(max_rows));
  segments.reserve(static_cast<size_t>(max_segments));
  bands.resize(static_cast<size_t>(max_bands) * static_cast<size_t>(max_rows));
}

void StepPlan::Begin(int32_t n_rows, int32_t n_bands_of_step) {
  ANABRANCH_CHECK(n_rows >= 1 && n_rows <= max_rows);
  ANABRANCH_CHECK(static_cast<size_t>(n_bands_of_step) * static_cast<size_t>(max_rows) <=
                  bands.size());
  rows = n_rows;
  n_bands = n_bands_of_step;
  segments.clear();
}

BandRow& StepPlan::At(int32_t band, int32_t row) {
  return bands[static_cast<size_t>(band) * static_cast<size_t>(max_rows) +
               static_cast<size_t>(row)];
}

}  // namespace anabranch
