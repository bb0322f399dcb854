#include "model/step_inputs.h"

#include <array>

#include "base/check.h"

namespace anabranch {

static_assert(sizeof(TokenId) == sizeof(int32_t), "token ids are uploaded as they are");

Result<StepInputs> StepInputs::Create(DeviceMemory& memory, int32_t max_rows, int32_t max_bands,
                                      int32_t max_segments) {
  const auto rows = static_cast<size_t>(max_rows);
  const std::string what = "inputs of a step";
  StepInputs inputs;
  inputs.max_rows_ = max_rows;
  inputs.max_bands_ = max_bands;
  inputs.max_segments_ = max_segments;
  ASSIGN_OR_RETURN(inputs.ids, memory.Alloc(rows * sizeof(int32_t), what));
  ASSIGN_OR_RETURN(inputs.stored_pos, memory.Alloc(rows * sizeof(int64_t), what));
  ASSIGN_OR_RETURN(inputs.slots, memory.Alloc(rows * sizeof(int32_t), what));
  ASSIGN_OR_RETURN(inputs.attend.segments,
                   memory.Alloc(static_cast<size_t>(max_segments) * sizeof(Segment), what));
  ASSIGN_OR_RETURN(inputs.attend.lists, memory.Alloc(2 * sizeof(int32_t), what));
  ASSIGN_OR_RETURN(inputs.attend.bands,
                   memory.Alloc(static_cast<size_t>(max_bands) * rows * sizeof(BandRow), what));
  return inputs;
}

void StepInputs::Upload(CpuExec& exec, std::span<const TokenId> tokens, const StepPlan& step) {
  const auto rows = static_cast<size_t>(step.rows);
  ANABRANCH_CHECK(tokens.size() == rows);
  ANABRANCH_CHECK(step.max_rows <= max_rows_ && step.n_bands <= max_bands_);
  ANABRANCH_CHECK(step.segments.size() <= static_cast<size_t>(max_segments_));
  auto upload = [&](DevPtr to, List<const unsigned char> bytes) {
    exec.table().upload(exec.exec(), to, bytes);
  };
  const std::array<int32_t, 2> list = {0, static_cast<int32_t>(step.segments.size())};
  const auto n_bands = static_cast<size_t>(step.n_bands) * static_cast<size_t>(step.max_rows);
  upload(ids, BytesOf(tokens));
  upload(stored_pos, BytesOf(std::span(step.stored_pos).first(rows)));
  upload(slots, BytesOf(std::span(step.slots).first(rows)));
  upload(attend.segments, BytesOf(std::span(step.segments)));
  upload(attend.lists, BytesOf(std::span<const int32_t>(list)));
  upload(attend.bands, BytesOf(std::span(step.bands).first(n_bands)));
  attend.rows = step.rows;
  attend.max_rows = step.max_rows;
  attend.n_bands = step.n_bands;
}

}  // namespace anabranch
