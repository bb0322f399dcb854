// CHECK: a programming error stops the process with the condition and the place. Never for input.
#pragma once

namespace anabranch::internal {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}  // namespace anabranch::internal

#define ANABRANCH_CHECK(condition) \
  (static_cast<bool>(condition)    \
       ? static_cast<void>(0)      \
       : ::anabranch::internal::CheckFailed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define ANABRANCH_DCHECK(condition) static_cast<void>(sizeof(condition))
#else
#define ANABRANCH_DCHECK(condition) ANABRANCH_CHECK(condition)
#endif
