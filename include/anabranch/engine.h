// anabranch: a language model that reads an endless stream in constant memory and recalls what left
// its window. An Engine owns a model, an embedder, a memory; Streams are opened on it.
//
//   auto engine = anabranch::Engine::Open({.model = "model.gguf", .embedder = "all-MiniLM-L6-v2"});
//   if (!engine) return Report(engine.error());
//   auto stream = (*engine)->OpenStream({.recall = anabranch::RecallMode::kEvicted});
//
// Nothing here prints, exits, throws or reads the environment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/documents.h"
#include "anabranch/memory.h"
#include "anabranch/result.h"
#include "anabranch/stream.h"
#include "anabranch/types.h"

namespace anabranch {

struct EngineOptions {
  std::string model;      // path of a GGUF file
  std::string embedder;   // folder with model.safetensors, vocab.txt, config.json; "": no recall
  int32_t n_threads = 0;  // 0: all CPUs that the process may use
  std::string kernels;    // "ref", "avx2", "avx512"; "": the best this CPU runs
  std::string chat_template;      // a name; "": from the model's metadata
  std::string memory;             // "sqlite:FILE" or a path; "": for this process only
  std::string memory_password{};  // of a memory on a server; never part of `memory`
  std::string journal{};          // of a memory on a server: its local file, which is written first
  int64_t recall_timeout_ms = 2000;  // that a recall waits for a server
  ProgressFn on_progress;
};

struct ModelInfo {
  std::string path, name, architecture, chat_template, kernels;
  int64_t n_ctx_train = 0, n_vocab = 0, n_layers = 0, n_embd = 0;
  int64_t weight_bytes = 0;  // packed
  int64_t workspace_bytes = 0;
  int32_t n_threads = 0;
  double load_ms = 0;
};

struct PerplexityOptions {
  bool streaming = true;  // false: dense
  int64_t start_size = 4;
  std::optional<int64_t> recent_size;
  KvType kv_type = KvType::kF16;
  int64_t max_tokens_read = -1;  // -1: all
  bool add_bos = false;
  std::function<void(int64_t token, double nll)> on_token;  // of each predicted token, in order
  ProgressFn on_progress;
  const std::atomic<bool>* cancel = nullptr;
};

struct PerplexityReport {
  int64_t tokens = 0;  // predicted ones
  double nll_mean = 0, ppl = 0;
  int64_t start_size = 0, recent_size = 0;
  double ms = 0;
};

struct BenchOptions {
  int64_t start_size = 4;
  int64_t recent_size = 1024;
  KvType kv_type = KvType::kF16;
  int32_t repeats = 3;
  int32_t decode_tokens = 64;  // per repeat
  int64_t stream_tokens = 0;   // read as one stream at the end
  // Not "": decoding is also measured while a memory in this folder is written, as answers are.
  std::string memory_folder{};
  ProgressFn on_progress;
};

// The most that this machine gave the same threads, in the same run.
struct MachineLimits {
  double read_bytes_per_s = 0;
  double multiply_adds_per_s = 0;        // of 4-bit weights with 8-bit activations
  double float_multiply_adds_per_s = 0;  // of floats
};

struct BenchReport {
  int64_t window = 0;
  std::vector<double> prefill_tps;       // one per repeat: `window` tokens into an empty window
  std::vector<double> reading_tps;       // one per repeat: `window` tokens more, the window full
  std::vector<double> decode_ms;         // one per repeat: mean ms per token with the window full
  std::vector<double> token_ms;          // of each decoded token, by size
  std::vector<double> token_ms_writing;  // the same while a memory is written
  std::vector<double> stream_ms;         // of each 1,000 tokens of the stream, in order
  MachineLimits limits;
  bool disturbed = false;  // a limit fell below 90 % of its best between two repeats
  // What no program can beat within these limits: a token's bytes have to be read, and its
  // multiply-adds done, those of weights with bytes and those of attention with floats.
  int64_t token_bytes = 0;
  double decode_floor_ms = 0, prefill_floor_tps = 0, reading_floor_tps = 0;
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Open(const EngineOptions& options);
  virtual ~Engine() = default;

  virtual const ModelInfo& info() const = 0;
  // Errors: sizes that do not fit the model, with the numbers; a name that is being written.
  virtual Result<std::unique_ptr<Stream>> OpenStream(const StreamOptions& options) = 0;
  virtual Result<PerplexityReport> Perplexity(std::string_view text,
                                              const PerplexityOptions& options) = 0;
  virtual Result<BenchReport> Bench(const BenchOptions& options) = 0;
  // Tokens of a plain text, as Read would count them.
  virtual std::vector<TokenId> Tokenize(std::string_view text) const = 0;
};

// ---- Without loading a model's weights ----

// A model's tokenizer.
class TokenizerFile {
 public:
  static Result<std::unique_ptr<TokenizerFile>> Open(const std::string& gguf_path);
  virtual ~TokenizerFile() = default;
  virtual std::vector<TokenId> Encode(std::string_view text) const = 0;
  // With the vocabulary's special tokens recognised.
  virtual std::vector<TokenId> EncodeTemplate(std::string_view text) const = 0;
  // Error: an id outside the vocabulary.
  virtual Result<std::string> Decode(std::span<const TokenId> ids) const = 0;
  virtual std::string TokenText(TokenId id) const = 0;
};

struct TensorInfo {
  std::string name, type;
  std::vector<int64_t> shape;  // as the file has it
  int64_t bytes = 0;
  // How a matrix of a model is multiplied: "4 x 8 bits" (weights, activations); "" of others.
  std::string products;
};

struct FileInfo {
  std::string path, format;  // "GGUF v3", "safetensors"
  std::string kernels;       // the table that would run it: "ref", "avx2", "avx512"
  int64_t bytes = 0;
  std::vector<std::pair<std::string, std::string>> metadata;  // values in short, arrays by size
  std::vector<TensorInfo> tensors;
};

Result<FileInfo> InspectFile(const std::string& path);

// The plan that OpenStream would make for a model (n_pinned without a kept prefix).
Result<StreamPlan> PlanStream(const std::string& gguf_path, const StreamOptions& options);

struct ImportOptions {
  std::string stream = "";  // a new name for the only stream of the export; "": as it was exported
  // The text of all turns is tokenized again, at new positions; empty: as exported.
  std::optional<TurnFormat> retokenize = std::nullopt;
  const std::atomic<bool>* cancel = nullptr;
};

// A memory, for the `memory` command. Of the options those of the memory and the embedder count,
// and on_progress; `embedder` may be "": then Search, Import and Add fail.
class MemoryFile {
 public:
  // Error kNotFound: there is none.
  static Result<std::unique_ptr<MemoryFile>> Open(const EngineOptions& options);
  static Result<std::unique_ptr<MemoryFile>> OpenOrCreate(const EngineOptions& options);
  virtual ~MemoryFile() = default;
  virtual Result<std::vector<MemoryStreamInfo>> List() = 0;
  virtual Result<std::vector<Passage>> Search(const std::string& stream, std::string_view query,
                                              int32_t k) = 0;
  virtual Result<std::vector<MemoryTurn>> Show(const std::string& stream, StreamSpan span) = 0;
  virtual Result<ForgetResult> Forget(const std::string& stream, const ForgetSelection& what,
                                      bool dry_run) = 0;
  virtual Result<VerifyReport> Verify() = 0;
  // Lines of JSON, each with its end (docs/formats.md). stream "": all streams.
  virtual Result<void> Export(const std::string& stream, const LineSink& sink) = 0;
  // Each stream is imported whole or not at all; errors name the line.
  virtual Result<StreamsReport> Import(const LineSource& next, const ImportOptions& options) = 0;
  // Reads documents into a stream as user turns, and indexes them. What a document's report was
  // given for is durable, and so is what an error or `cancel` leaves: the same call goes on with
  // it.
  virtual Result<AddReport> Add(const AddOptions& options) = 0;
  // Builds the index of a stream ("": of all) anew from the journal, with the embedder of the
  // options, beside the old one, and puts it in its place at once. What an interrupted call built
  // is gone on with. Of a server the units are dropped and sent again.
  static Result<StreamsReport> Reindex(const EngineOptions& options, const std::string& stream,
                                       const std::atomic<bool>* cancel = nullptr);
  // Checks a file that is opened for reading alone, whoever else uses it. With an embedder ("":
  // none), whose vocabulary is read, that the units are what the cutter derives from the journal.
  static Result<VerifyReport> VerifyReadOnly(const std::string& location,
                                             const std::string& embedder);
};

struct BuildInfo {
  std::string version, commit, compiler;
  std::vector<std::string> kernels;  // that this CPU runs, best first
};
BuildInfo GetBuildInfo();

}  // namespace anabranch
