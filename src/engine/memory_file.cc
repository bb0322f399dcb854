// MemoryFile: a memory for the `memory` command, with an embedder of its own when it searches.
#include <filesystem>
#include <utility>

#include "anabranch/engine.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/document_adder.h"
#include "engine/embedder_folder.h"
#include "engine/memory_options.h"
#include "engine/model_turns.h"
#include "memory/memory.h"
#include "memory/reindex.h"
#include "memory/verify.h"

namespace anabranch {
namespace {

// Progress, and an end to the work once `cancel` is set.
StepFn Steps(const ProgressFn& on_progress, const std::atomic<bool>* cancel) {
  return [on_progress, cancel](const char* stage, int64_t done, int64_t total) -> Result<void> {
    if (cancel != nullptr && *cancel) {
      return Fail(ErrorKind::kInterrupted, "memory", "the index is not finished");
    }
    if (on_progress) on_progress({.stage = stage, .done = done, .total = total});
    return {};
  };
}

class OpenedMemoryFile final : public MemoryFile {
 public:
  Result<void> Open(const EngineOptions& options) {
    on_progress_ = options.on_progress;
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
    RETURN_IF_ERROR(NeedEmbedder("search"));
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
  Result<void> Export(const std::string& stream, const LineSink& sink) override {
    return memory_->Export(stream, sink);
  }
  Result<StreamsReport> Import(const LineSource& next, const ImportOptions& options) override {
    ImportPlan plan = {.stream = options.stream, .on_step = Steps(on_progress_, options.cancel)};
    if (!options.retokenize) return memory_->Import(next, plan);
    ASSIGN_OR_RETURN(const auto turns, ModelTurns::Open(*options.retokenize));
    const std::unique_ptr<TurnCoder> coder = turns->Coder(turns->Encoder());
    plan.coder = coder.get();
    return memory_->Import(next, plan);
  }

  Result<AddReport> Add(const AddOptions& options) override {
    RETURN_IF_ERROR(NeedEmbedder("add"));
    ASSIGN_OR_RETURN(const auto turns, ModelTurns::Open(options.format));
    AddReport report;
    ASSIGN_OR_RETURN(const int64_t units_before, CountUnits(options.stream));
    {
      ASSIGN_OR_RETURN(const std::unique_ptr<StreamMemory> stream,
                       memory_->OpenStream(options.stream, turns->fingerprint()));
      report.notice = stream->notice();
      ASSIGN_OR_RETURN(DocumentAdder adder,
                       DocumentAdder::Open(*turns, stream.get(), options.cancel, on_progress_,
                                           options.total_bytes));
      while (true) {
        ASSIGN_OR_RETURN(const std::optional<Document> document, options.next());
        if (!document) break;
        ASSIGN_OR_RETURN(const DocumentReport added, adder.Add(*document));
        Count(added, &report);
        if (options.on_document) options.on_document(added);
      }
    }
    ASSIGN_OR_RETURN(StreamsReport settled,
                     memory_->Settle(options.stream, Steps(on_progress_, options.cancel)));
    report.stream = std::move(settled.streams.front());
    report.behind = std::move(settled.behind);
    report.units = report.stream.units - units_before;
    return report;
  }

 private:
  Result<void> NeedEmbedder(const char* what) const {
    if (embedder_) return {};
    return Fail(ErrorKind::kInvalid, what, "needs the embedder that the memory was made with",
                "name it with --embedder");
  }
  // 0 of a stream that is not there.
  Result<int64_t> CountUnits(const std::string& stream) {
    ASSIGN_OR_RETURN(const std::vector<MemoryStreamInfo> streams, memory_->List());
    for (const MemoryStreamInfo& info : streams) {
      if (info.name == stream) return info.units;
    }
    return 0;
  }
  static void Count(const DocumentReport& added, AddReport* report) {
    const bool is_new =
        added.state == DocumentState::kAdded || added.state == DocumentState::kContinued;
    report->documents += is_new ? 1 : 0;
    report->unchanged += added.state == DocumentState::kUnchanged ? 1 : 0;
    report->empty += added.state == DocumentState::kEmpty ? 1 : 0;
    report->turns += added.turns;
    report->tokens += added.tokens;
    report->bytes += added.bytes;
  }

  ProgressFn on_progress_;
  ThreadPool pool_{ThreadPool::AvailableCpus()};
  std::unique_ptr<EmbedderFolder> embedder_;
  std::unique_ptr<Memory> memory_;
};

// The path of a memory's file. Error kInvalid: it is not named.
Result<std::string> FilePath(const std::string& location) {
  constexpr std::string_view kScheme = "sqlite:";
  std::string path = location.starts_with(kScheme) ? location.substr(kScheme.size()) : location;
  if (!path.empty()) return path;
  return Fail(ErrorKind::kInvalid, "--memory", "names no memory", "give the path of its file");
}

// The path of a memory file that is there: looking at one must not make it, nor one of an empty
// file.
Result<std::string> FindMemory(const std::string& location) {
  ASSIGN_OR_RETURN(std::string path, FilePath(location));
  std::error_code error;
  const bool is_there = std::filesystem::exists(path, error);
  if (is_there && std::filesystem::file_size(path, error) != 0) return path;
  return Fail(ErrorKind::kNotFound, path, is_there ? "is empty" : "is not there",
              "give the file that run or chat was given with --memory or --journal");
}

// Of a memory on a server its journal is the file.
const std::string& FileOf(const EngineOptions& options) {
  return options.journal.empty() ? options.memory : options.journal;
}

}  // namespace

Result<std::unique_ptr<MemoryFile>> MemoryFile::Open(const EngineOptions& options) {
  RETURN_IF_ERROR(FindMemory(FileOf(options)));
  return OpenOrCreate(options);
}

Result<std::unique_ptr<MemoryFile>> MemoryFile::OpenOrCreate(const EngineOptions& options) {
  RETURN_IF_ERROR(FilePath(FileOf(options)));
  auto file = std::make_unique<OpenedMemoryFile>();
  RETURN_IF_ERROR(file->Open(options));
  return std::unique_ptr<MemoryFile>(std::move(file));
}

Result<StreamsReport> MemoryFile::Reindex(const EngineOptions& options, const std::string& stream,
                                          const std::atomic<bool>* cancel) {
  RETURN_IF_ERROR(FindMemory(FileOf(options)));
  ThreadPool pool(ThreadPool::AvailableCpus());
  ASSIGN_OR_RETURN(const KernelTable* table, SelectKernels(options.kernels));
  ASSIGN_OR_RETURN(const auto embedder, EmbedderFolder::Open(options.embedder, *table, pool));
  return anabranch::Reindex(options.memory, embedder->Handle(), ToMemoryOptions(options), stream,
                            Steps(options.on_progress, cancel));
}

Result<VerifyReport> MemoryFile::VerifyReadOnly(const std::string& location,
                                                const std::string& embedder) {
  ASSIGN_OR_RETURN(const std::string path, FindMemory(location));
  if (embedder.empty()) return VerifyFile(path, {});
  ASSIGN_OR_RETURN(const auto vocabulary, EmbedderVocabulary::Open(embedder));
  return VerifyFile(path, vocabulary->Handle());
}

}  // namespace anabranch
