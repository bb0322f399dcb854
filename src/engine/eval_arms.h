// The ways to recall that are compared: what ships, and each of its choices made otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "memory/recall_policy.h"
#include "text/cutter.h"

namespace anabranch {

struct EvalArm {
  std::string name, what;
  CutOptions units{};
  int32_t chunk_size = 40;
  std::optional<float> threshold{};  // a plain one, on the cosine
  RecallPolicy policy{};
  // Not 0: the seed's scheme instead. The text is cut hard into chunks of so many tokens, the whole
  // turn is embedded, and the nearest chunks are handed over.
  int32_t hard_chunk = 0;
};

const std::vector<EvalArm>& EvalArms();

}  // namespace anabranch
