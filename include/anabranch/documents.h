// Documents for a memory: text that comes into a stream without passing through the model.
#pragma once

#include <cstdint>

namespace anabranch {

enum class DocumentFormat : uint8_t {
  kText,      // paragraphs, with blank lines between them
  kMarkdown,  // sections under headings; fenced code is kept whole
};

}  // namespace anabranch
