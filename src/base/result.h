// Passing a failure on: the two macros that Result<T> needs until the language has them.
#pragma once

#include "anabranch/result.h"

#define ANABRANCH_CONCAT_(a, b) a##b
#define ANABRANCH_CONCAT(a, b) ANABRANCH_CONCAT_(a, b)

// RETURN_IF_ERROR(f()): returns f's error from the enclosing function, if it failed.
#define RETURN_IF_ERROR(expression)                                            \
  do {                                                                         \
    auto return_if_error_result = (expression);                                \
    if (!return_if_error_result)                                               \
      return ::tl::make_unexpected(std::move(return_if_error_result).error()); \
  } while (false)

// ASSIGN_OR_RETURN(auto value, f()): the value, or f's error returned from the enclosing function.
#define ASSIGN_OR_RETURN(declaration, expression)                                            \
  auto ANABRANCH_CONCAT(result_at_, __LINE__) = (expression);                                \
  if (!ANABRANCH_CONCAT(result_at_, __LINE__))                                               \
    return ::tl::make_unexpected(std::move(ANABRANCH_CONCAT(result_at_, __LINE__)).error()); \
  declaration = *std::move(ANABRANCH_CONCAT(result_at_, __LINE__))
