// Files as documents, for `memory add`.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "anabranch/documents.h"
#include "anabranch/result.h"

namespace anabranch::cli {

// A file that was looked through.
struct DocumentFile {
  std::string path{};        // "-": stdin
  std::string contents{};    // HashFile's; "": not a regular file
  int64_t bytes = 0;         // 0: not known
  int64_t time_ms = 0;       // when it was last changed; 0: not known
  int64_t invalid_utf8 = 0;  // how often it is not UTF-8, and in which line first
  int64_t first_invalid_line = 0;
};

// Reads the file, but for stdin and pipes, which can be read only once. Errors: it is missing, a
// folder, or no text (UTF-16, a NUL byte).
Result<DocumentFile> CheckDocument(const std::string& path, const std::atomic<bool>* cancel);

// Opens it. `format`: empty: from the name.
Result<Document> OpenDocument(const DocumentFile& file, std::optional<DocumentFormat> format,
                              const std::atomic<bool>* cancel);

// What a document is called: the last two parts of its path, on one line.
std::string DocumentName(const std::string& path);

}  // namespace anabranch::cli
