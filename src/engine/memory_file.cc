// MemoryFile: a memory for the `memory` command, with an embedder of its own when it searches.
#include <filesystem>
#include <utility>

#include "anabranch/engine.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/embedder_folder.h"
#include "engine/memory_options.h"
#include "memory/memory.h"
#include "memory/verify.h"

namespace anabranch {
namespace {

class OpenedMemoryFile final : public MemoryFile {
 public:
  Result<void> Open(const EngineOptions& options) {
    EmbedderHandle handle;
    if (!options.embedder.empty()) {
      ASSIGN_OR_RETURN(const KernelTable* table, SelectKernels(options.kernels));
      ASSIGN_OR_RETURN(embedder_, EmbedderFolder::Open(options.embedder, *table, pool_));
      handle = embedder_->Handle();
    }
    ASSIGN_OR_RETURN(memory_,
                     OpenMemory(options.memory, std::move(handle), ToMemoryOptions(options)));
    return {};
  }

  Result<std::vector<MemoryStreamInfo>> List() override { return memory_->List(); }
  Result<std::vector<Passage>> Search(const std::string& stream, std::string_view query,
                                      int32_t k) override {
    if (!embedder_) {
      return Fail(ErrorKind::kInvalid, "search", "needs the embedder that the memory was made with",
                  "name it with --embedder");
    }
    return memory_->Search(stream, query, k);
  }
  Result<std::vector<MemoryTurn>> Show(const std::string& stream, StreamSpan span) override {
    return memory_->Show(stream, span);
  }
  Result<ForgetResult> Forget(const std::string& stream, const ForgetSelection& what,
                              bool dry_run) override {
    return memory_->Forget(stream, what, dry_run);
  }
  Result<VerifyReport> Verify() override { return memory_->Verify(); }

 private:
  ThreadPool pool_{ThreadPool::AvailableCpus()};
  std::unique_ptr<EmbedderFolder> embedder_;
  std::unique_ptr<Memory> memory_;
};

// The path of a memory file that is there.
Result<std::string> FindMemory(const std::string& location) {
  constexpr std::string_view kScheme = "sqlite:";
  std::string path = location.starts_with(kScheme) ? location.substr(kScheme.size()) : location;
  std::error_code error;
  if (path.empty()) {
    return Fail(ErrorKind::kInvalid, "--memory", "names no memory", "give the path of its file");
  }
  if (!std::filesystem::exists(path, error)) {
    return Fail(ErrorKind::kNotFound, path, "there is no memory here",
                "check the path; chat and run make one with --memory");
  }
  return path;
}

}  // namespace

Result<std::unique_ptr<MemoryFile>> MemoryFile::Open(const EngineOptions& options) {
  // Of a memory on a server its journal is the file.
  RETURN_IF_ERROR(FindMemory(options.journal.empty() ? options.memory : options.journal));
  auto file = std::make_unique<OpenedMemoryFile>();
  RETURN_IF_ERROR(file->Open(options));
  return std::unique_ptr<MemoryFile>(std::move(file));
}

Result<VerifyReport> MemoryFile::VerifyReadOnly(const std::string& location,
                                                const std::string& embedder) {
  ASSIGN_OR_RETURN(const std::string path, FindMemory(location));
  if (embedder.empty()) return VerifyFile(path, {});
  ASSIGN_OR_RETURN(const auto vocabulary, EmbedderVocabulary::Open(embedder));
  return VerifyFile(path, vocabulary->Handle());
}

}  // namespace anabranch
