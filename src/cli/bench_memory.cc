#include "cli/bench_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "anabranch/bench.h"
#include "cli/json_output.h"
#include "cli/option_types.h"
#include "cli/options.h"
#include "cli/process_memory.h"

namespace anabranch::cli {
namespace {

struct BenchMemoryFlags {
  std::string sizes = "10k,100k", stores = "sqlite", folder;
  int32_t questions = 1000, threads = 0, pause = 0;
  std::string kernels;
  StoreFlags store;  // its password
};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// "100k", "1M", "2500".
Result<int64_t> ParseSize(const std::string& text) {
  const char last = text.empty() ? '\0' : text.back();
  const int64_t factor = last == 'k' ? 1000 : last == 'M' ? 1000000 : 1;
  constexpr int64_t kMost = 100000000;
  Result<int64_t> n =
      ParseInteger(factor == 1 ? text : text.substr(0, text.size() - 1), 1, kMost / factor);
  if (n) *n *= factor;
  return n;
}

std::string CpuModel() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

std::string TableRow(const MemoryBenchRow& row) {
  return fmt::format(
      "{:<24} {:>9} {:>9.0f} {:>9.1f} {:>8.2f} {:>8.2f} {:>7.4f} {:>8.1f} {:>8.0f}\n",
      row.store.substr(0, 24), row.vectors, row.ingest_per_s, row.open_ms, row.query_p50_ms,
      row.query_p99_ms, row.recall_at_10, static_cast<double>(row.resident_bytes) / 1e6,
      row.file_bytes_per_vector);
}

OrderedJson RowJson(const MemoryBenchRow& row, const std::string& cpu, unsigned cores) {
  return {{"type", "bench_memory"},
          {"store", row.store},
          {"vectors", row.vectors},
          {"ingest_per_s", row.ingest_per_s},
          {"open_ms", row.open_ms},
          {"query_p50_ms", row.query_p50_ms},
          {"query_p99_ms", row.query_p99_ms},
          {"passages", row.passages},
          {"recall_at_10", row.recall_at_10},
          {"resident_bytes", row.resident_bytes},
          {"file_bytes_per_vector", row.file_bytes_per_vector},
          {"cpu", cpu},
          {"cores", cores}};
}

int BenchMemoryStores(const BenchMemoryFlags& flags, CommandContext& context) {
  MemoryBenchOptions options;
  options.sizes.clear();
  for (const std::string& size : Split(flags.sizes)) {
    Result<int64_t> parsed = ParseSize(size);
    if (!parsed) return ReportUsage(context, parsed.error());
    options.sizes.push_back(*parsed);
  }
  options.stores = Split(flags.stores);
  options.folder =
      flags.folder.empty() ? std::filesystem::temp_directory_path().string() : flags.folder;
  Result<std::string> password = ReadMemoryPassword(flags.store, context.env);
  if (!password) return ReportError(context, password.error());
  options.password = *std::move(password);
  options.n_questions = flags.questions;
  options.pause = std::chrono::seconds(flags.pause);
  options.n_threads = flags.threads;
  options.kernels = flags.kernels;
  options.resident_bytes = ResidentBytes;
  const std::string cpu = CpuModel();
  const unsigned cores = std::thread::hardware_concurrency();
  if (!context.common.json) {
    context.terminal.Out(fmt::format(
        "{}, {} cores. Vectors of 384; a query is a recall from a question's text to passages, "
        "its\n"
        "embedding given (of a server: one search); recall: of brute force's 10 best scores.\n"
        "{:<24} {:>9} {:>9} {:>9} {:>8} {:>8} {:>7} {:>8} {:>8}\n",
        cpu, cores, "store", "vectors", "ingest/s", "open ms", "p50 ms", "p99 ms", "recall",
        "RAM MB", "B/vector"));
  }
  Result<void> done = BenchMemory(options, [&](const MemoryBenchRow& row) {
    context.terminal.Out(context.common.json ? JsonLine(RowJson(row, cpu, cores)) : TableRow(row));
  });
  return done ? kExitOk : ReportError(context, done.error());
}

}  // namespace

void AddBenchMemoryCommand(CommandLine& line, CLI::App& bench) {
  const auto flags = std::make_shared<BenchMemoryFlags>();
  CLI::App& app = line.AddCommand(
      bench, "memory", "Ingest, opening and recall of memories of made-up vectors",
      [flags](CommandContext& context) { return BenchMemoryStores(*flags, context); });
  AddText(app, "--sizes", flags->sizes, "Vectors, as 10k,100k,1M [10k,100k]")->type_name("N,…");
  AddText(app, "--stores", flags->stores, "sqlite, postgresql://… and chroma:… [sqlite]")
      ->type_name("STORE,…");
  AddText(app, "--folder", flags->folder, "For the files, which are removed [the temporary one]")
      ->type_name("FOLDER");
  AddText(app, "--memory-password-file", flags->store.password_file,
          "File with the password of the servers [$ANABRANCH_MEMORY_PASSWORD]")
      ->type_name("FILE");
  AddInteger(app, "--questions", flags->questions, 1, 1000000, "Recalls that are timed [1000]");
  AddInteger(app, "--pause", flags->pause, 0, 86400,
             "Seconds before a server is asked: PostgreSQL builds its index beside [0]");
  AddInteger(app, "-t,--threads", flags->threads, 1, 1024, "Threads [all CPUs]");
  AddText(app, "--kernels", flags->kernels, "ref, avx2 or avx512 [the best]");
}

}  // namespace anabranch::cli
