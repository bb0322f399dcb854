// Cutting a text into the words within which byte-level BPE merges: a model's regular expressions.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

struct pcre2_real_code_8;

namespace anabranch {

// Immutable after creation; any thread may use it.
class PreTokenizer {
 public:
  // By the name that GGUF gives it. Errors: an unknown name, which lists the known ones.
  static Result<PreTokenizer> Create(std::string_view name);

  // The words of a text, in order and without a gap. The text is well-formed UTF-8, but that
  // surrogates may be encoded (they are no letters).
  std::vector<std::string_view> Split(std::string_view text) const;

 private:
  struct FreeCode {
    void operator()(pcre2_real_code_8* code) const;
  };
  // Each is applied to the words that the one before has left.
  std::vector<std::unique_ptr<pcre2_real_code_8, FreeCode>> patterns_;
};

}  // namespace anabranch
