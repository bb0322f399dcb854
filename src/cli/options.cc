#include "cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "cli/input.h"
#include "cli/option_types.h"

namespace anabranch::cli {
namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxTokens = int64_t{1} << 40;
constexpr double kMaxFloat = std::numeric_limits<float>::max();

CLI::Option* Named(CLI::Option* option, const char* type) { return option->type_name(type); }

}  // namespace

void AddModelOptions(CLI::App& app, ModelFlags& flags) {
  const std::string model_help = fmt::format("GGUF model: a path or a name [{}]", kDefaultModel);
  for (CLI::Option* option :
       {Named(AddText(app, "-m,--model,--model-name-or-path", flags.model, model_help), "FILE"),
        AddInteger(app, "-t,--threads", flags.threads, 1, 1024, "CPU threads [all CPUs]"),
        Named(AddText(app, "--kernels", flags.kernels, "ref, avx2 or avx512 [the best here]"),
              "NAME"),
        Named(AddText(app, "--chat-template", flags.chat_template,
                      "chatml, llama2, llama3, mistral, gemma, zephyr, phi3, vicuna [the model's]"),
              "NAME")}) {
    option->group("Model");
  }
}

void AddStoreOptions(CLI::App& app, StoreFlags& flags, const std::string& memory_help) {
  for (CLI::Option* option :
       {Named(AddText(app, "--memory", flags.memory, memory_help), "FILE"),
        Named(AddText(app, "--memory-password-file", flags.password_file,
                      "File with the password of a memory on a server "
                      "[$ANABRANCH_MEMORY_PASSWORD]"),
              "FILE"),
        Named(AddText(app, "--journal", flags.journal,
                      "Local journal of a memory on a server [under the state directory]"),
              "FILE")}) {
    option->group("Memory");
  }
}

CLI::Option* AddRecallFrom(CLI::App& app, std::vector<std::string>& target) {
  const auto set = [&target](const std::string& text) -> Result<void> {
    target.clear();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      if (end == begin) {
        return Fail(ErrorKind::kInvalid, "",
                    fmt::format("'{}' has an empty name of a stream", text));
      }
      target.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return {};
  };
  return AddParsed(app, "--recall-from", "NAME,...", set,
                   "Recall from these streams of --memory as well");
}

Result<std::string> ReadMemoryPassword(const StoreFlags& flags, const Environment& env) {
  if (flags.password_file.empty()) return env("ANABRANCH_MEMORY_PASSWORD").value_or("");
  constexpr size_t kLongest = 4096;
  Result<Input> input = OpenInput(flags.password_file, "", nullptr);
  if (!input) return tl::unexpected(input.error());
  Result<std::string> password = ReadAll(*input, kLongest);
  if (!password) return password;
  password->erase(password->find_last_not_of("\r\n") + 1);
  if (!password->empty()) return password;
  return Fail(ErrorKind::kInvalid, flags.password_file, "holds no password",
              "write the password into it");
}

void AddEmbedderOptions(CLI::App& app, EmbedderFlags& flags) {
  const std::string embedder_help =
      fmt::format("Sentence embedder: a folder or a name [{}]", kDefaultEmbedder);
  for (CLI::Option* option :
       {Named(AddText(app, "--embedder", flags.embedder, embedder_help), "FOLDER"),
        Named(AddText(app, "--stream", flags.stream, "Name of the stream in memory [default]"),
              "NAME")}) {
    option->group("Memory");
  }
  AddStoreOptions(app, flags.store, "Where memory lives [this run only]");
}

CLI::Option* AddKvTypeOption(CLI::App& app, std::string& target) {
  return AddChoice(
      app, "--kv-type", target, {"f16", "q8_0"},
      "Keys and values in 16 bits, or in 8 with a scale for each 32: half the bytes [f16]");
}

KvType ToKvType(const std::string& name) { return name == "q8_0" ? KvType::kQ8_0 : KvType::kF16; }

void AddSizeOptions(CommandLine& line, CLI::App& app, SizeFlags& flags) {
  CLI::Option* recent =
      AddInteger(app, "--recent-size", flags.recent_size, 1, kMaxTokens,
                 "Window: recent tokens in view, 23 kB each for SmolLM2-135M [4096, or what fits]");
  CLI::Option* ctx = AddInteger(app, "-c,--ctx-size", flags.ctx_size, 1, kMaxTokens,
                                "Instead of --recent-size: start + keep + recent");
  line.AddFamily({recent, ctx});
  for (CLI::Option* option :
       {AddSwitch(app, "--enable-streaming", flags.streaming,
                  "Sinks and a window instead of dense attention: any length, constant memory"),
        AddInteger(app, "--start-size", flags.start_size, 0, kMaxTokens,
                   "Attention sinks: first tokens in view for good, 23 kB each [4]"),
        recent, ctx, AddKvTypeOption(app, flags.kv_type),
        AddInteger(app, "--keep", flags.keep, -1, kMaxTokens,
                   "Tokens of the system prompt pinned beside the sinks, -1: all [0; chat -1]")}) {
    option->group("Stream");
  }
}

void AddRecallOptions(CommandLine& line, CLI::App& app, RecallFlags& flags) {
  CLI::Option* recall = AddChoice(app, "--recall", flags.recall, {"never", "evicted", "always"},
                                  "What may be recalled for a turn [never; chat evicted]");
  CLI::Option* retriever =
      AddSwitch(app, "--enable-retriever", flags.retriever, "The same as --recall evicted");
  CLI::Option* always = AddSwitch(app, "--enable-always-retriever", flags.always_retriever,
                                  "The same as --recall always");
  line.AddFamily({recall, retriever, always});
  for (CLI::Option* option :
       {recall, retriever, always,
        AddSwitch(app, "--debug-retriever", flags.debug,
                  "Show queries, scores and positions of what is recalled"),
        AddInteger(app, "--chunk-size", flags.chunk_size, 1, kMaxInt32,
                   "Tokens of one recalled passage; a longer sentence stays whole [40]"),
        AddInteger(app, "--recall-tokens", flags.recall_tokens, 1, kMaxInt32,
                   "Tokens recalled for a turn at most, 23 kB each [400]"),
        AddNumber(app, "--recall-threshold", flags.threshold, -1, 1,
                  "Least cosine that is recalled [decided from the turn and the memory]"),
        AddRecallFrom(app, flags.from),
        AddNumber(app, "--recall-timeout", flags.timeout_seconds, 0.01, 3600,
                  "Seconds that a recall waits for a memory on a server [2]"),
        AddChoice(app, "--retract", flags.retract, {"keep", "reread"},
                  "After an answer: keep its keys, or read it again without the recalled [keep]"),
        AddChoice(
            app, "--resume", flags.resume, {"window", "cold"},
            "A stream of --memory goes on with its window, read again, or without [window]")}) {
    option->group("Recall");
  }
}

void AddSamplingOptions(CLI::App& app, SamplingFlags& flags) {
  const auto set_seed = [&flags](const std::string& text) -> Result<void> {
    Result<int64_t> seed = ParseInteger(text, 0, kMaxInt64);
    if (!seed) return tl::unexpected(seed.error());
    flags.seed = static_cast<uint64_t>(*seed);
    return {};
  };
  for (CLI::Option* option :
       {AddInteger(app, "-n,--predict,--max-tokens", flags.max_tokens, -1, kMaxTokens,
                   "Tokens of an answer at most, -1: until the model ends its turn [256]"),
        AddNumber(app, "--temp,--temperature", flags.temperature, 0, 100,
                  "Temperature, 0: always the most probable token [0; chat 0.8]"),
        AddInteger(app, "--top-k", flags.top_k, 0, kMaxInt32,
                   "Sample from the k best, 0: all [40]"),
        AddNumber(app, "--top-p", flags.top_p, 0, 1,
                  "Sample from this share of probability [0.95]"),
        AddNumber(app, "--min-p", flags.min_p, 0, 1,
                  "Least share of the best probability, 0: off [0.05]"),
        AddNumber(app, "--repeat-penalty", flags.repeat_penalty, 0.01, kMaxFloat,
                  "Penalty for tokens said lately, 1: none [1]"),
        AddInteger(app, "--repeat-last-n", flags.repeat_last_n, 0, kMaxInt32,
                   "Tokens that the penalty looks back [64]"),
        AddParsed(app, "-s,--seed", "N", set_seed, "Seed of the sampler [random, and printed]")}) {
    option->group("Answers");
  }
}

Result<RecallMode> ResolveRecall(const RecallFlags& flags, RecallMode fallback) {
  const RecallMode by_flag = flags.always_retriever ? RecallMode::kAlways
                             : flags.retriever      ? RecallMode::kEvicted
                                                    : RecallMode::kNever;
  const RecallMode by_name = flags.recall == "always"    ? RecallMode::kAlways
                             : flags.recall == "evicted" ? RecallMode::kEvicted
                                                         : RecallMode::kNever;
  if (flags.recall.empty()) return by_flag == RecallMode::kNever ? fallback : by_flag;
  if (by_flag != RecallMode::kNever && by_flag != by_name) {
    return Fail(ErrorKind::kInvalid, "--recall " + flags.recall,
                flags.always_retriever ? "contradicts --enable-always-retriever"
                                       : "contradicts --enable-retriever",
                "give one of them");
  }
  return by_name;
}

Result<StreamOptions> ToStreamOptions(const SizeFlags& sizes, const RecallFlags& recall,
                                      const CommandDefaults& defaults, int64_t system_tokens) {
  Result<RecallMode> mode = ResolveRecall(recall, defaults.recall);
  if (!mode) return tl::unexpected(mode.error());
  if (!recall.from.empty() && *mode == RecallMode::kNever) {
    return Fail(ErrorKind::kInvalid, "--recall-from", "with --recall never nothing is recalled",
                "give --recall evicted, too");
  }
  StreamOptions options;
  options.streaming = sizes.streaming.value_or(defaults.streaming);
  options.start_size = sizes.start_size;
  options.recent_size = sizes.recent_size;
  options.kv_type = ToKvType(sizes.kv_type);
  options.keep = sizes.keep.value_or(defaults.keep);
  options.recall = *mode;
  options.recall_from = recall.from;
  options.chunk_size = recall.chunk_size;
  options.recall_tokens = recall.recall_tokens;
  options.recall_threshold = recall.threshold;
  options.resume = recall.resume == "cold" ? ResumeMode::kCold : ResumeMode::kWindow;
  options.retract = recall.retract == "reread" ? RetractMode::kReread : RetractMode::kKeep;
  if (!sizes.ctx_size) return options;
  if (sizes.recent_size) {
    return Fail(ErrorKind::kInvalid, "--ctx-size", "and --recent-size say the same thing",
                "give one of them");
  }
  const int64_t keep = options.keep < 0 ? system_tokens : options.keep;
  const int64_t recent = *sizes.ctx_size - options.start_size - keep;
  if (recent < 1) {
    return Fail(ErrorKind::kInvalid, "--ctx-size",
                fmt::format("{} leaves no window beside {} sinks and {} kept tokens",
                            *sizes.ctx_size, options.start_size, keep),
                fmt::format("give at least {}", options.start_size + keep + 1));
  }
  options.recent_size = recent;
  return options;
}

SamplerOptions ToSamplerOptions(const SamplingFlags& flags, const CommandDefaults& defaults) {
  SamplerOptions options;
  options.temperature = flags.temperature.value_or(defaults.temperature);
  options.top_k = flags.top_k;
  options.top_p = flags.top_p;
  options.min_p = flags.min_p;
  options.repeat_penalty = flags.repeat_penalty;
  options.repeat_last_n = flags.repeat_last_n;
  options.seed = flags.seed ? *flags.seed : std::random_device{}();
  return options;
}

}  // namespace anabranch::cli
