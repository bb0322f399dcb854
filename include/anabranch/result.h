// Errors of anabranch: whatever the world can cause (files, input, network, limits) is a Result<T>.
// Programming errors are CHECKs (base/check.h). Nothing in the library throws, prints or exits.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace anabranch {

// What kind of failure it is; a command turns it into an exit code, a caller into a decision.
enum class ErrorKind : unsigned char {
  kInvalid,      // the input or an argument is wrong: the same call fails again
  kNotFound,     // a file, a model, a stream that is not there
  kCorrupt,      // data that breaks its own format
  kUnsupported,  // well formed, but nothing here can handle it
  kLimit,        // does not fit: a context, a memory limit, a size
  kBusy,         // held by another process or thread
  kIo,           // the operating system refused
  kInterrupted,  // the caller asked to stop
  kUnavailable,  // a server does not answer, or says that it cannot now: try again later
  kDenied,       // a server refuses who we are
};

// One failure, in three short parts that read as "WHAT: FAULT; REMEDY".
struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string what;    // the thing: a path, a tensor, a flag
  std::string fault;   // what is wrong with it, with the numbers
  std::string remedy;  // what to do about it; may be empty

  std::string Message() const {
    std::string message = what.empty() ? fault : what + ": " + fault;
    if (!remedy.empty()) message += "; " + remedy;
    return message;
  }
};

template <typename T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

inline Failure Fail(ErrorKind kind, std::string what, std::string fault, std::string remedy = "") {
  return Failure(Error{kind, std::move(what), std::move(fault), std::move(remedy)});
}

}  // namespace anabranch
