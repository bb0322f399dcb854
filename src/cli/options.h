// Options that several commands share, as plain data, and what the library makes of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "anabranch/engine.h"
#include "cli/command_line.h"
#include "cli/model_path.h"

namespace anabranch::cli {

struct ModelFlags {
  std::string model = kDefaultModel, kernels, chat_template;
  int32_t threads = 0;
};

// Where memory lives.
struct StoreFlags {
  std::string memory;  // "": for this run only
  std::string journal, password_file;
};

struct EmbedderFlags {
  std::optional<std::string> embedder = {};  // empty: the default one
  StoreFlags store;
  std::string stream = "default";
};

// The sizes of a stream.
struct SizeFlags {
  std::optional<bool> streaming = {};  // empty: the command's default
  int64_t start_size = 4;
  std::optional<int64_t> recent_size = {}, ctx_size = {}, keep = {};
  std::string kv_type = "f16";
};

struct RecallFlags {
  std::string recall;  // "": the command's default, unless a flag says more
  std::vector<std::string> from = {};
  bool retriever = false, always_retriever = false, debug = false;
  int32_t chunk_size = 40, recall_tokens = 400;
  std::optional<float> threshold = {};
  float timeout_seconds = 2;
  std::string retract = "keep", resume = "window";
};

struct SamplingFlags {
  int64_t max_tokens = 256;
  std::optional<float> temperature = {};  // empty: the command's default
  int32_t top_k = 40, repeat_last_n = 64;
  float top_p = 0.95f, min_p = 0.05f, repeat_penalty = 1.0f;
  std::optional<uint64_t> seed = {};  // empty: random
};

// What a command does where the user says nothing.
struct CommandDefaults {
  bool streaming = false;
  RecallMode recall = RecallMode::kNever;
  int64_t keep = 0;
  float temperature = 0;
};
inline constexpr CommandDefaults kRunDefaults;
inline constexpr CommandDefaults kChatDefaults{
    .streaming = true, .recall = RecallMode::kEvicted, .keep = -1, .temperature = 0.8f};

void AddModelOptions(CLI::App& app, ModelFlags& flags);
void AddStoreOptions(CLI::App& app, StoreFlags& flags, const std::string& memory_help);
void AddEmbedderOptions(CLI::App& app, EmbedderFlags& flags);
// --kv-type, a name for ToKvType.
CLI::Option* AddKvTypeOption(CLI::App& app, std::string& target);
KvType ToKvType(const std::string& name);
void AddSizeOptions(CommandLine& line, CLI::App& app, SizeFlags& flags);
void AddRecallOptions(CommandLine& line, CLI::App& app, RecallFlags& flags);
void AddSamplingOptions(CLI::App& app, SamplingFlags& flags);

// The password for a memory on a server: of the file that is named, else
// $ANABRANCH_MEMORY_PASSWORD; "": none. Error: a file that cannot be read, or is too long.
Result<std::string> ReadMemoryPassword(const StoreFlags& flags, const Environment& env);

// Error: --recall and the retriever flags contradict each other.
Result<RecallMode> ResolveRecall(const RecallFlags& flags, RecallMode fallback);

// The options of a stream, but for its name, system prompt and progress. `system_tokens` of the
// system prompt count for --ctx-size when all of it is kept.
// Errors: contradictions, and a --ctx-size that leaves no window.
Result<StreamOptions> ToStreamOptions(const SizeFlags& sizes, const RecallFlags& recall,
                                      const CommandDefaults& defaults, int64_t system_tokens);

// The seed is drawn when none was given.
SamplerOptions ToSamplerOptions(const SamplingFlags& flags, const CommandDefaults& defaults);

}  // namespace anabranch::cli
