// For tests: golden files as JSON.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "anabranch/types.h"

namespace anabranch {

inline nlohmann::json ReadGolden(const std::string& name) {
  std::ifstream file(ANABRANCH_SOURCE_DIR "/tests/golden/model/" + name);
  nlohmann::json golden = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  EXPECT_FALSE(golden.is_discarded()) << name;
  return golden;
}

inline std::vector<TokenId> Ids(const nlohmann::json& ids) {
  std::vector<TokenId> tokens;
  for (int32_t id : ids) tokens.emplace_back(id);
  return tokens;
}

}  // namespace anabranch
