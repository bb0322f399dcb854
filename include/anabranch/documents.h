// Documents for a memory: text that comes into a stream without passing through the model.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "anabranch/memory.h"
#include "anabranch/result.h"
#include "anabranch/types.h"

namespace anabranch {

enum class DocumentFormat : uint8_t {
  kText,      // paragraphs, with blank lines between them
  kMarkdown,  // sections under headings; fenced code is kept whole
};

struct Document {
  std::string name{};      // one line, not empty: what it is called where it is recalled
  std::string path{};      // which file it is of; "": of none. Known by its hash
  std::string contents{};  // "xxh3:" and the hash of its bytes; "": not known, so that nothing is
                           // found there already
  DocumentFormat format = DocumentFormat::kText;
  int64_t bytes = 0;    // all of them; 0: not known
  int64_t time_ms = 0;  // when its text was said (Unix time); 0: now
  // Fills `buffer` from its front and says how far; 0 is the end. An error ends the adding, and
  // what was read before stays.
  std::function<Result<size_t>(std::span<char> buffer)> read{};
};

enum class DocumentState : uint8_t {
  kAdded,      // whole
  kContinued,  // an earlier call was interrupted: the rest
  kUnchanged,  // the stream had it already
  kEmpty,      // it holds no text
};

struct DocumentReport {
  std::string name;
  DocumentState state = DocumentState::kAdded;
  int64_t turns = 0, tokens = 0, bytes = 0;  // that were added
  // Where the stream has the same file with other contents, if it does.
  std::optional<StreamSpan> earlier = std::nullopt;
};

struct AddReport {
  int64_t documents = 0;                     // kAdded and kContinued
  int64_t unchanged = 0, empty = 0;          // that were not added
  int64_t turns = 0, tokens = 0, bytes = 0;  // that were added
  int64_t units = 0;                         // that were indexed
  MemoryStreamInfo stream;
  std::string behind;  // as of StreamsReport
  std::string notice;  // what opening the stream had to repair; "": nothing
};

// How turns are written for a model: its tokenizer and its chat template.
struct TurnFormat {
  std::string model;               // path of a GGUF file
  std::string chat_template = "";  // a name; "": from the model's metadata
};

struct AddOptions {
  std::string stream = "default";
  TurnFormat format{};
  std::function<Result<std::optional<Document>>()> next{};   // nullopt: no more
  std::function<void(const DocumentReport&)> on_document{};  // it is durable now; may be empty
  int64_t total_bytes = 0;                                   // of all, for progress; 0: not known
  const std::atomic<bool>* cancel = nullptr;
};

}  // namespace anabranch
