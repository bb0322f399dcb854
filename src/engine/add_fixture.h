// Documents for tests of MemoryFile::Add, over a tiny model and a tiny embedder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/engine.h"
#include "memory/document_cursor.h"
#include "memory/journal_store.h"
#include "memory/memory_test_support.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch {

// What a house needs to be asked about. The tiny embedder knows letters and digits, no words: a
// text of digits is far from all others.
inline constexpr std::string_view kHouse =
    "# House\n\nIt was built in 1904 and has a roof of slate.\n\n"
    "## Boiler\n\nIt is serviced each May by the firm of Amundsen.\n\n"
    "4711 9988 7766 5544 3322 6655.\n\n"
    "## Keys\n\n### Spare\n\nThe spare key hangs behind the barometer.\n";

inline constexpr std::string_view kQuestion = "4711 9988 7766 5544 3322 ?";
inline constexpr std::string_view kAnswer = "house.md > House > Boiler";  // where it is

// `text` handed over `chunk` bytes at a time; it must outlive the document.
inline Document MakeDocument(const std::string& name, std::string_view text,
                             DocumentFormat format = DocumentFormat::kMarkdown,
                             size_t chunk = 700) {
  Document document{.name = name,
                    .path = "/notes/" + name,
                    .contents = HashOf(text),
                    .format = format,
                    .bytes = static_cast<int64_t>(text.size()),
                    .time_ms = 1'700'000'000'000};
  document.read = [text, chunk](std::span<char> buffer) mutable -> Result<size_t> {
    const size_t n = std::min({text.size(), buffer.size(), chunk});
    std::copy_n(text.begin(), n, buffer.begin());
    text.remove_prefix(n);
    return n;
  };
  return document;
}

inline std::vector<std::string> Sources(const RecallResult& recall) {
  std::vector<std::string> sources;
  for (const Passage& passage : recall.passages) sources.push_back(passage.source);
  return sources;
}

class AddFixture {
 public:
  explicit AddFixture(const std::string& memory = "") {
    testing::WriteTinyEmbedder(dir_.path());
    options_.model = dir_.WriteFile("tiny.gguf", testing::TinyModelGguf({.n_ctx_train = 1024}));
    options_.embedder = dir_.path();
    options_.memory = memory.empty() ? ram_.File("memory.db") : memory;
    options_.n_threads = 1;
  }

  Result<AddReport> Add(std::vector<Document> documents,
                        const std::atomic<bool>* cancel = nullptr) {
    reports_.clear();
    size_t at = 0;
    AddOptions add{.stream = stream_, .format = {options_.model, chat_template_}, .cancel = cancel};
    add.next = [&]() -> Result<std::optional<Document>> {
      return at < documents.size() ? std::optional(documents[at++]) : std::nullopt;
    };
    add.on_document = [this](const DocumentReport& report) { reports_.push_back(report); };
    auto memory = MemoryFile::OpenOrCreate(options_);
    if (!memory) return tl::make_unexpected(memory.error());
    return (*memory)->Add(add);
  }
  std::unique_ptr<MemoryFile> Open() { return MemoryFile::Open(options_).value(); }
  // The text of the stream's turns, one after the other.
  std::string Text() {
    std::string text;
    const std::vector<MemoryTurn> turns = Open()->Show(stream_, kAllPositions).value();
    for (const MemoryTurn& turn : turns) text += turn.text;
    return text;
  }
  // The source of the sentence that holds `text`.
  std::string SourceOf(std::string_view text) {
    const std::vector<Passage> found = Open()->Search(stream_, text, 1000).value();
    for (const Passage& passage : found) {
      if (passage.text.find(text) != std::string::npos) return passage.source;
    }
    return "not there";
  }
  // A conversation that recalls from the library.
  StreamOptions Asking(const std::string& name) const {
    StreamOptions options;
    options.name = name;
    options.recent_size = 256;
    options.recall = RecallMode::kEvicted;
    options.recall_from = {stream_};
    options.recall_tokens = 300;
    options.recall_threshold = -1.0f;
    return options;
  }
  void ExpectSound() {
    const VerifyReport report = Open()->Verify().value();
    EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
  }

  testing::TempDir dir_;
  TempDir ram_;
  EngineOptions options_;
  std::string stream_ = "library", chat_template_;
  std::vector<DocumentReport> reports_;
};

}  // namespace anabranch
