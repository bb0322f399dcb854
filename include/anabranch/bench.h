// How fast memory is: a made-up corpus of ready vectors, written and asked, for which nothing is
// embedded; and how fast an embedder is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "anabranch/result.h"
#include "anabranch/types.h"

namespace anabranch {

struct MemoryBenchOptions {
  std::vector<int64_t> sizes = {10000, 100000};  // vectors of 384 numbers
  std::vector<std::string> stores = {"sqlite"};  // "sqlite", postgresql://… or chroma:…
  std::string folder;                            // for the files, which are removed again
  std::string password;                          // of the servers; "": none
  int32_t n_questions = 1000;
  // Between a server's last vector and the first question: PostgreSQL builds its index beside.
  std::chrono::seconds pause{0};
  int32_t n_threads = 0;                    // 0: all CPUs that the process may use
  std::string kernels;                      // "": the best this CPU runs
  std::function<int64_t()> resident_bytes;  // of this process
};

// Of one store and size. Times are of a warm system. Of a server, a query is one of its Nearest
// calls; of SQLite, a whole recall from a question's text to passages, its embedding given.
struct MemoryBenchRow {
  std::string store;
  int64_t vectors = 0;
  double ingest_per_s = 0;  // vectors; SQLite: in transactions of 100, a server: in batches of 256
  double open_ms = 0;       // of the stream
  double query_p50_ms = 0, query_p99_ms = 0;
  double passages = 0;               // mean of a recall; 0: of a server
  double recall_at_10 = 0;           // share of the 10 best scores that are brute force's, to 1e-6
  int64_t resident_bytes = 0;        // more than before the first vector
  double file_bytes_per_vector = 0;  // 0: of a server
};

// Calls on_row as each is measured. Errors: a folder that cannot be written, a store that fails.
Result<void> BenchMemory(const MemoryBenchOptions& options,
                         const std::function<void(const MemoryBenchRow&)>& on_row);

struct EmbedderBenchOptions {
  std::string embedder;   // folder, as EngineOptions'
  int32_t n_threads = 0;  // 0: all CPUs that the process may use
  std::string kernels;    // "": the best this CPU runs
  int32_t repeats = 5;
};

struct EmbedderBenchReport {
  std::string kernels;
  int32_t n_threads = 0;
  int64_t texts = 0, tokens = 0;       // of a repeat, [CLS] and [SEP] included
  std::vector<double> tokens_per_s;    // one per repeat, from texts to vectors
  double multiply_adds_per_token = 0;  // of the encoder's matrices
  double floor_tokens_per_s = 0;       // if these were all, at the rate of its largest matrix alone
};

// Embeds made-up sentences, 64 in a call as the memory does. Errors as Engine::Open's.
Result<EmbedderBenchReport> BenchEmbedder(const EmbedderBenchOptions& options);

}  // namespace anabranch
