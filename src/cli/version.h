// What --version prints.
#pragma once

#include <string>

#include "cli/context.h"

namespace anabranch::cli {

// Version, commit, compiler, and the kernels that would be chosen.
std::string VersionText(const Environment& env);

}  // namespace anabranch::cli
