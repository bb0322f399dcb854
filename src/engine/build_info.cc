#include "anabranch/engine.h"
#include "kernels/cpu_exec.h"

#ifndef ANABRANCH_VERSION
#define ANABRANCH_VERSION "0.1.0"
#endif
#ifndef ANABRANCH_COMMIT
#define ANABRANCH_COMMIT "unknown"
#endif

namespace anabranch {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

}  // namespace

BuildInfo GetBuildInfo() {
  BuildInfo info{.version = ANABRANCH_VERSION,
                 .commit = ANABRANCH_COMMIT,
                 .compiler = kCompiler,
                 .kernels = {}};
  for (const char* name : {"avx512", "avx2", "ref"}) {
    if (SelectKernels(name)) info.kernels.emplace_back(name);
  }
  return info;
}

}  // namespace anabranch
