#include "cli/version.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "anabranch/engine.h"

namespace anabranch::cli {

std::string VersionText(const Environment& env) {
  const BuildInfo build = GetBuildInfo();
  const std::string best = build.kernels.empty() ? "ref" : build.kernels.front();
  const std::string chosen = env("ANABRANCH_KERNELS").value_or(best);
  return fmt::format("anabranch {}\ncommit: {}\ncompiler: {}\nkernels: {} (this CPU runs {})\n",
                     build.version, build.commit, build.compiler, chosen,
                     fmt::join(build.kernels, ", "));
}

}  // namespace anabranch::cli
