#include "cli/version.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "anabranch/engine.h"

namespace anabranch::cli {

std::string VersionText(const Environment& env) {
  const BuildInfo build = GetBuildInfo();
  std::string chosen = build.kernels.front();
  if (const std::string asked = env("ANABRANCH_KERNELS").value_or(""); !asked.empty()) {
    const bool runs = std::ranges::find(build.kernels, asked) != build.kernels.end();
    chosen = runs ? asked : fmt::format("none named {}, as $ANABRANCH_KERNELS asks", asked);
  }
  return fmt::format("anabranch {}\ncommit: {}\ncompiler: {}\nkernels: {} (this CPU runs {})\n",
                     build.version, build.commit, build.compiler, chosen,
                     fmt::join(build.kernels, ", "));
}

}  // namespace anabranch::cli
