// Bytes from a file or stdin, as they come: input may be longer than memory, or never end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "anabranch/result.h"

namespace anabranch::cli {

// Fills `buffer` from its front and says how far; 0 is the end. Errors: kIo; kInterrupted.
using ByteSource = std::function<Result<size_t>(std::span<char> buffer)>;

struct Input {
  std::string name;  // for messages
  ByteSource read;
  int64_t total_bytes = 0;  // 0: not known
};

Input StdinInput(const std::atomic<bool>* cancel);

// Opens `path`, or stdin for "-". A relative path that does not exist is looked for under
// `data_root`, when that is not empty. Reading ends with kInterrupted once `cancel` is set.
Result<Input> OpenInput(const std::string& path, const std::string& data_root,
                        const std::atomic<bool>* cancel);

// All of it. Error: kLimit when it is longer than `limit` bytes.
Result<std::string> ReadAll(const Input& input, size_t limit);

// A look at the bytes that come next.
class InputBuffer {
 public:
  explicit InputBuffer(Input input) : input_(std::move(input)) {}

  // At least `n` bytes that were not consumed, fewer only at the end. Valid until the next call.
  Result<std::string_view> Peek(size_t n);
  void Consume(size_t n);
  // The next line without its end ("\n" or "\r\n"); empty at the end of input. Error: kLimit when
  // it is longer than `limit` bytes.
  Result<std::optional<std::string>> Line(size_t limit);

  const Input& input() const { return input_; }
  int64_t consumed() const { return consumed_; }
  int64_t line() const { return line_; }  // of the next byte, from 1

 private:
  Input input_;
  std::string buffer_;
  size_t begin_ = 0;  // of what was not consumed, in buffer_
  bool at_end_ = false;
  int64_t consumed_ = 0, line_ = 1;
};

}  // namespace anabranch::cli
