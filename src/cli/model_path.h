// Where a model that was named on the command line lies.
#pragma once

#include <string>

#include "anabranch/result.h"
#include "cli/context.h"

namespace anabranch::cli {

inline constexpr const char* kDefaultModel = "SmolLM2-135M-Instruct.Q4_1.gguf";
inline constexpr const char* kDefaultEmbedder = "all-MiniLM-L6-v2";

enum class ModelKind { kLanguageModel, kEmbedder };

// The path of a model: `name` itself when it exists, else looked for in $ANABRANCH_MODELS, the XDG
// data folder (anabranch/models) and models/. Nothing is fetched: a Hugging Face name (org/name) is
// an error that says what is wanted instead.
Result<std::string> FindModel(const std::string& name, ModelKind kind, const Environment& env);

}  // namespace anabranch::cli
