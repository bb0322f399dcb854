// What a GGUF file says about its tokenizer.
#pragma once

#include "base/result.h"
#include "io/gguf.h"
#include "text/tokenizer.h"

namespace anabranch {

// The metadata under tokenizer.ggml, with llama.cpp's defaults where a file leaves something out.
// Errors name file and key: no model or tokens, a value of another type or beyond its range.
Result<TokenizerSpec> ReadTokenizerSpec(const GgufFile& file);

}  // namespace anabranch
