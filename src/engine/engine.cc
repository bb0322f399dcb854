// Engine: a model, an embedder, a memory, and the streams over them.
#include "anabranch/engine.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>

#include "base/result.h"
#include "base/thread_pool.h"
#include "base/wall_clock.h"
#include "engine/bench.h"
#include "engine/embedder_folder.h"
#include "engine/fingerprint.h"
#include "engine/memory_options.h"
#include "engine/model_turns.h"
#include "engine/perplexity.h"
#include "engine/tokenizer_spec.h"
#include "io/gguf.h"
#include "kernels/cpu_exec.h"
#include "memory/memory.h"
#include "memory/wide_memory.h"
#include "model/model.h"
#include "stream/chat_stream.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace anabranch {
namespace {

constexpr ModelOptions kModelOptions{};

// The other streams that a stream recalls from, each once.
Result<WideMemory::Readers> OpenReaders(const StreamOptions& options, Memory& memory) {
  std::set<std::string> names = {options.name};
  WideMemory::Readers readers;
  for (const std::string& name : options.recall_from) {
    if (!names.insert(name).second) continue;
    Result<std::unique_ptr<StreamReader>> reader = memory.OpenReader(name);
    if (!reader && reader.error().kind == ErrorKind::kNotFound) {
      const Error& error = reader.error();
      return Fail(ErrorKind::kNotFound, "--recall-from", error.what + " " + error.fault,
                  error.remedy + "; `anabranch memory list` says what each holds");
    }
    if (!reader) return tl::make_unexpected(reader.error());
    readers.push_back(*std::move(reader));
  }
  return readers;
}

class LoadedEngine final : public Engine {
 public:
  explicit LoadedEngine(const EngineOptions& options)
      : options_(options),
        pool_(options.n_threads > 0 ? options.n_threads : ThreadPool::AvailableCpus()) {}

  Result<void> Load();

  const ModelInfo& info() const override { return info_; }
  Result<std::unique_ptr<Stream>> OpenStream(const StreamOptions& options) override;
  Result<PerplexityReport> Perplexity(std::string_view text,
                                      const PerplexityOptions& options) override;
  Result<BenchReport> Bench(const BenchOptions& options) override {
    return MeasureSpeed(*model_, *exec_, kModelOptions.max_batch, options);
  }
  std::vector<TokenId> Tokenize(std::string_view text) const override {
    return tokenizer_->Encode(text);
  }

 private:
  void FillInfo(const GgufFile& file);
  // The memory, opened when the first stream wants it.
  Result<Memory*> OpenedMemory();

  EngineOptions options_;
  ModelInfo info_;
  ThreadPool pool_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::string turns_fingerprint_;  // "": there is no chat template
  std::optional<ChatTemplate> chat_template_;
  std::unique_ptr<CpuExec> exec_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<EmbedderFolder> embedder_;
  std::unique_ptr<Memory> memory_;
};

Result<void> LoadedEngine::Load() {
  const Stopwatch watch;
  const auto progress = [&](int64_t done) {
    if (options_.on_progress) {
      options_.on_progress({.stage = "load model", .done = done, .total = 2});
    }
  };
  progress(0);
  ASSIGN_OR_RETURN(const KernelTable* table, SelectKernels(options_.kernels));
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(options_.model));
  ASSIGN_OR_RETURN(const ModelConfig config, ReadModelConfig(file));
  ASSIGN_OR_RETURN(TokenizerSpec spec, ReadTokenizerSpec(file));
  const std::string tokenizer_fingerprint = TokenizerFingerprint(spec);
  ASSIGN_OR_RETURN(tokenizer_, CreateTokenizer(std::move(spec)));
  if (tokenizer_->n_vocab() > config.n_vocab) {
    return Fail(ErrorKind::kCorrupt, options_.model,
                fmt::format("its tokenizer has {} tokens, its embeddings {}", tokenizer_->n_vocab(),
                            config.n_vocab),
                "get the file again");
  }
  ASSIGN_OR_RETURN(chat_template_, ChooseTemplate(file, options_.chat_template));
  if (chat_template_) {
    turns_fingerprint_ = TurnsFingerprint(tokenizer_fingerprint, *chat_template_);
  }
  ASSIGN_OR_RETURN(exec_, CpuExec::Create(*table, pool_, ModelLimits(config, kModelOptions)));
  ASSIGN_OR_RETURN(model_, OpenModel(file, *exec_, kModelOptions));
  progress(1);
  if (!options_.embedder.empty()) {
    ASSIGN_OR_RETURN(embedder_, EmbedderFolder::Open(options_.embedder, *table, pool_));
  }
  FillInfo(file);
  info_.load_ms = watch.Ms();
  progress(2);
  return {};
}

void LoadedEngine::FillInfo(const GgufFile& file) {
  const ModelConfig& config = model_->config();
  info_.path = file.path();
  info_.name = std::string(file.String("general.name").value_or(""));
  info_.architecture = config.architecture;
  info_.chat_template = chat_template_ ? chat_template_->name : "";
  info_.kernels = exec_->table().name;
  info_.n_ctx_train = config.n_ctx_train;
  info_.n_vocab = config.n_vocab;
  info_.n_layers = config.n_layers;
  info_.n_embd = config.n_embd;
  info_.weight_bytes = static_cast<int64_t>(model_->weight_bytes());
  info_.workspace_bytes = static_cast<int64_t>(model_->workspace_bytes());
  info_.n_threads = pool_.size();
}

Result<Memory*> LoadedEngine::OpenedMemory() {
  if (!embedder_) {
    return Fail(ErrorKind::kInvalid, "--embedder", "is not given, and recall needs one",
                "name the folder of a sentence embedder, or use --recall never");
  }
  if (!memory_) {
    ASSIGN_OR_RETURN(memory_,
                     OpenMemory(options_.memory, embedder_->Handle(), ToMemoryOptions(options_)));
  }
  return memory_.get();
}

Result<std::unique_ptr<Stream>> LoadedEngine::OpenStream(const StreamOptions& options) {
  if (!chat_template_) {
    return Fail(ErrorKind::kUnsupported, options_.model,
                "has no chat template that is known here, and turns need one",
                "name one with --chat-template");
  }
  StreamParts parts{.model = model_.get(),
                    .exec = exec_.get(),
                    .tokenizer = tokenizer_.get(),
                    .chat_template = &*chat_template_,
                    .max_batch = kModelOptions.max_batch,
                    .memory = nullptr};
  std::unique_ptr<StreamMemory> memory;
  if (options.recall != RecallMode::kNever) {
    ASSIGN_OR_RETURN(parts.memory, OpenedMemory());
    ASSIGN_OR_RETURN(WideMemory::Readers others, OpenReaders(options, *parts.memory));
    ASSIGN_OR_RETURN(memory, parts.memory->OpenStream(options.name, turns_fingerprint_));
    if (!others.empty()) {
      memory = std::make_unique<WideMemory>(std::move(memory), std::move(others));
    }
  }
  return ChatStream::Open(parts, options, std::move(memory));
}

Result<PerplexityReport> LoadedEngine::Perplexity(std::string_view text,
                                                  const PerplexityOptions& options) {
  std::vector<TokenId> tokens;
  if (options.add_bos) {
    if (!tokenizer_->bos()) {
      return Fail(ErrorKind::kInvalid, "--add-bos", "the model's tokenizer has no BOS token",
                  "leave it out");
    }
    tokens.push_back(*tokenizer_->bos());
  }
  const std::vector<TokenId> ids = tokenizer_->Encode(text);
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  if (options.max_tokens_read >= 0 &&
      tokens.size() > static_cast<size_t>(options.max_tokens_read)) {
    tokens.resize(static_cast<size_t>(options.max_tokens_read));
  }
  return MeasurePerplexity(*model_, *exec_, kModelOptions.max_batch, tokens, options);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(const EngineOptions& options) {
  auto engine = std::make_unique<LoadedEngine>(options);
  RETURN_IF_ERROR(engine->Load());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace anabranch
