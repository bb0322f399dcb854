#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "anabranch/bench.h"
#include "base/thread_pool.h"
#include "base/wall_clock.h"
#include "kernels/cpu_exec.h"
#include "memory/bench_corpus.h"
#include "memory/decision.h"
#include "memory/journal_store.h"
#include "memory/memory.h"
#include "memory/schema.h"
#include "memory/scratch_file.h"
#include "memory/server.h"
#include "memory/term_counts.h"
#include "memory/unit_store.h"
#include "text/cutter.h"

namespace anabranch {
namespace {

constexpr size_t kBest = 10;
constexpr int64_t kTransaction = 100, kServerBatch = 256;
constexpr int64_t kTurnUnits = 10;
constexpr int64_t kChecked = 100;  // questions that brute force answers too
constexpr float kSameScore = 1e-6f;
constexpr auto kWidth = static_cast<size_t>(BenchCorpus::kWidth);

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

// Kernels for the scans, and the given vectors of the questions.
class GivenVectors {
 public:
  static Result<std::unique_ptr<GivenVectors>> Create(const BenchCorpus& corpus,
                                                      const MemoryBenchOptions& options) {
    ASSIGN_OR_RETURN(const KernelTable* table, SelectKernels(options.kernels));
    const int n_threads = options.n_threads > 0 ? options.n_threads : ThreadPool::AvailableCpus();
    std::unique_ptr<GivenVectors> given(new GivenVectors(n_threads));
    ASSIGN_OR_RETURN(given->exec_, CpuExec::Create(*table, given->pool_, {}));
    for (int64_t q = 0; q < options.n_questions; ++q) {
      given->vectors_[corpus.Question(q)] = corpus.QuestionVector(q);
    }
    return given;
  }

  EmbedderHandle Handle() {
    EmbedderHandle handle;
    handle.width = BenchCorpus::kWidth;
    handle.fingerprint = "bench";
    handle.count_pieces = [](std::string_view text) {
      return 1 + static_cast<int>(std::count(text.begin(), text.end(), ' '));
    };
    handle.embed = [this](std::span<const std::string_view> texts,
                          std::span<float> out) -> Result<void> {
      for (size_t t = 0; t < texts.size(); ++t) {
        const std::string text(texts[t]);
        const auto given = vectors_.find(text);
        const std::vector<float> vector =
            given == vectors_.end() ? BenchCorpus::VectorOf(text) : given->second;
        std::copy(vector.begin(), vector.end(), out.data() + t * kWidth);
      }
      return {};
    };
    handle.scan = [this](std::span<const float> vectors, std::span<const float> query,
                         std::span<float> scores) {
      const auto n = static_cast<int32_t>(scores.size());
      exec_->table().scan(exec_->exec(), Matrix(vectors.data(), n, BenchCorpus::kWidth),
                          Matrix(query.data(), 1, BenchCorpus::kWidth),
                          Matrix(scores.data(), 1, n));
    };
    handle.scan_codes = [this](const CodeRows& codes, std::span<const int16_t> queries,
                               std::span<int32_t> dots) {
      exec_->table().scan_codes(exec_->exec(), codes,
                                {queries.data(), static_cast<int64_t>(queries.size())},
                                dots.data());
    };
    return handle;
  }

 private:
  explicit GivenVectors(int n_threads) : pool_(n_threads) {}
  static Mat Matrix(const float* data, int32_t rows, int32_t cols) {
    auto* bytes = reinterpret_cast<unsigned char*>(const_cast<float*>(data));
    return {.data = {bytes}, .rows = rows, .cols = cols, .stride = cols, .dtype = DType::kF32};
  }

  ThreadPool pool_;
  std::unique_ptr<CpuExec> exec_;
  std::map<std::string, std::vector<float>> vectors_;
};

// The best scores of the first questions over all vectors that were shown.
class BruteForce {
 public:
  BruteForce(const BenchCorpus& corpus, int64_t n_questions, EmbedderHandle handle)
      : handle_(std::move(handle)), best_(static_cast<size_t>(std::min(kChecked, n_questions))) {
    for (size_t q = 0; q < best_.size(); ++q) {
      const std::vector<float> vector = corpus.QuestionVector(static_cast<int64_t>(q));
      questions_.insert(questions_.end(), vector.begin(), vector.end());
    }
  }

  size_t n_questions() const { return best_.size(); }
  std::span<const float> question(size_t q) const {
    return std::span<const float>(questions_).subspan(q * kWidth, kWidth);
  }
  void Show(std::span<const float> vector) {
    std::vector<float> scores(best_.size());
    handle_.scan(questions_, vector, scores);
    for (size_t q = 0; q < scores.size(); ++q) {
      std::vector<float>& best = best_[q];
      if (best.size() == kBest && scores[q] <= best.back()) continue;
      best.insert(std::upper_bound(best.begin(), best.end(), scores[q], std::greater<>()),
                  scores[q]);
      best.resize(std::min(best.size(), kBest));
    }
  }
  // Share of question q's best scores that are the same.
  double Recall(size_t q, const std::vector<float>& scores) const {
    size_t same = 0;
    for (size_t i = 0; i < best_[q].size() && i < scores.size(); ++i) {
      same += scores[i] >= best_[q][i] - kSameScore ? 1 : 0;
    }
    return static_cast<double>(same) / static_cast<double>(std::max<size_t>(1, best_[q].size()));
  }

 private:
  EmbedderHandle handle_;
  std::vector<float> questions_;
  std::vector<std::vector<float>> best_;
};

// Tokens of a sentence: its words.
std::vector<uint32_t> TokenEnds(const std::string& text) {
  std::vector<uint32_t> ends;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == ' ') ends.push_back(static_cast<uint32_t>(i));
  }
  return ends;
}

UnitRow RowOf(const BenchCorpus& corpus, int64_t i, StreamPos begin, int64_t text_begin,
              const std::string& text) {
  UnitRow unit;
  unit.text_begin = text_begin;
  unit.text_end = text_begin + static_cast<int64_t>(text.size());
  unit.span = {begin, begin + static_cast<int64_t>(TokenEnds(text).size())};
  unit.turn = i / kTurnUnits;
  unit.role = unit.turn % 2 == 0 ? Role::kUser : Role::kAssistant;
  unit.question = corpus.OnlyAsks(i);
  unit.time_ms = 1000 * unit.turn;
  return unit;
}

class SqliteBench {
 public:
  SqliteBench(const BenchCorpus& corpus, const MemoryBenchOptions& options)
      : corpus_(corpus), options_(options), file_(options.folder) {}

  Result<MemoryBenchRow> Run() {
    ASSIGN_OR_RETURN(const auto given, GivenVectors::Create(corpus_, options_));
    const EmbedderHandle handle = given->Handle();
    BruteForce brute(corpus_, options_.n_questions, handle);
    row_.store = "sqlite";
    row_.vectors = corpus_.size();
    const int64_t resident = options_.resident_bytes();
    RETURN_IF_ERROR(Ingest(handle, &brute));
    const Stopwatch open;
    ASSIGN_OR_RETURN(const auto memory, OpenMemory(file_.path(), handle));
    ASSIGN_OR_RETURN(const auto stream, memory->OpenStream(kStream, kTokenizer));
    row_.open_ms = open.Ms();
    ASSIGN_OR_RETURN(const int64_t bytes, memory->DiskBytes());
    row_.file_bytes_per_vector = static_cast<double>(bytes) / static_cast<double>(corpus_.size());
    RETURN_IF_ERROR(Ask(stream.get()));
    row_.resident_bytes = options_.resident_bytes() - resident;
    double recall = 0;
    for (size_t q = 0; q < brute.n_questions(); ++q) {
      ASSIGN_OR_RETURN(
          const auto found,
          memory->Search(kStream, corpus_.Question(static_cast<int64_t>(q)), int32_t{kBest}));
      std::vector<float> scores;
      for (const Passage& passage : found) scores.push_back(passage.score);
      recall += brute.Recall(q, scores);
    }
    row_.recall_at_10 = recall / static_cast<double>(std::max<size_t>(1, brute.n_questions()));
    return row_;
  }

 private:
  static constexpr const char* kStream = "bench";
  static constexpr const char* kTokenizer = "bench";

  Result<void> Ingest(const EmbedderHandle& handle, BruteForce* brute) {
    ASSIGN_OR_RETURN(const auto db, OpenStore(file_.path(), file_.path()));
    RETURN_IF_ERROR(
        db->Exec("INSERT INTO stream(id, name, tokenizer) VALUES(1, 'bench', 'bench')"));
    RETURN_IF_ERROR(WriteMeta(db.get(), "cutter", std::to_string(kCutterVersion)));
    RETURN_IF_ERROR(WriteMeta(db.get(), "embedder", handle.fingerprint));
    RETURN_IF_ERROR(WriteMeta(db.get(), "embedder width", std::to_string(handle.width)));
    ASSIGN_OR_RETURN(const NullEmbeddings null, NullEmbeddings::Create(handle));
    std::vector<float> null_scores = null.NoScores();
    JournalStore journal(db.get(), 1);
    UnitStore units(db.get(), 1, kStream);
    TermCounts terms(db.get(), 1);
    JournalEnd end;
    double ms = 0;
    for (int64_t i = 0; i < corpus_.size(); i += kTransaction) {
      std::vector<std::string> texts;
      std::vector<std::vector<float>> vectors;
      for (int64_t u = i; u < std::min(corpus_.size(), i + kTransaction); ++u) {
        texts.push_back(corpus_.Sentence(u));
        vectors.push_back(corpus_.Vector(u));
        brute->Show(vectors.back());
      }
      const Stopwatch clock;
      ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db.get()));
      for (size_t u = 0; u < texts.size(); ++u) {
        UnitRow unit = RowOf(corpus_, i + static_cast<int64_t>(u), end.end, 0, texts[u]);
        RETURN_IF_ERROR(journal.Insert(RecordOf(unit, texts[u]), &end));
        unit.text_begin = end.text_end - unit.text_end;
        unit.text_end = end.text_end;
        RETURN_IF_ERROR(units.Insert(&unit, vectors[u], texts[u]));
        if (!unit.question) null.Update(vectors[u], null_scores);
        terms.Add(texts[u]);
      }
      RETURN_IF_ERROR(units.SetIndexed(end.text_end, null_scores));
      RETURN_IF_ERROR(transaction.Commit());
      RETURN_IF_ERROR(terms.WriteIfMany());
      ms += clock.Ms();
    }
    row_.ingest_per_s = 1000 * static_cast<double>(corpus_.size()) / ms;
    return {};
  }

  static JournalRecord RecordOf(const UnitRow& unit, const std::string& text) {
    JournalRecord record;
    record.turn = unit.turn;
    record.role = unit.role;
    record.begin = unit.span.begin;
    record.time_ms = unit.time_ms;
    record.token_ends = TokenEnds(text);
    record.ids.assign(record.token_ends.size(), TokenId(1));
    record.bytes = text;
    return record;
  }

  Result<void> Ask(StreamMemory* stream) {
    std::vector<double> ms;
    int64_t passages = 0;
    // The first round warms the caches.
    for (const bool measured : {false, true}) {
      const int64_t n = measured ? options_.n_questions : std::min(options_.n_questions, 100);
      for (int64_t q = 0; q < n; ++q) {
        const std::string question = corpus_.Question(q);
        RecallQuery query;
        query.turn_text = question;
        query.mode = RecallMode::kAlways;
        query.threshold = 0;  // the decision is no matter of speed
        const Stopwatch clock;
        ASSIGN_OR_RETURN(const RecallResult result, stream->Recall(query));
        if (!measured) continue;
        ms.push_back(clock.Ms());
        passages += static_cast<int64_t>(result.passages.size());
      }
    }
    row_.query_p50_ms = Quantile(ms, 0.5);
    row_.query_p99_ms = Quantile(ms, 0.99);
    row_.passages = static_cast<double>(passages) / static_cast<double>(ms.size());
    return {};
  }

  const BenchCorpus& corpus_;
  const MemoryBenchOptions& options_;
  ScratchFile file_;
  MemoryBenchRow row_;
};

Result<MemoryBenchRow> RunServer(const BenchCorpus& corpus, const std::string& location,
                                 const MemoryBenchOptions& options) {
  MemoryBenchRow row;
  row.store = location;
  row.vectors = corpus.size();
  ASSIGN_OR_RETURN(const auto given, GivenVectors::Create(corpus, options));
  BruteForce brute(corpus, options.n_questions, given->Handle());
  RemoteOptions remote_options;
  remote_options.password = options.password;
  remote_options.timeout = std::chrono::minutes(10);  // an index is built within a call
  ASSIGN_OR_RETURN(const auto remote, OpenRemoteStore(location, remote_options));
  const int64_t resident = options.resident_bytes();
  const RemoteStreamInfo stream = {"bench-" + std::to_string(getpid()), "bench", "bench",
                                   BenchCorpus::kWidth, kCutterVersion};
  const Stopwatch open;
  RETURN_IF_ERROR(remote->OpenStream(stream));
  row.open_ms = open.Ms();
  double ms = 0;
  int64_t text_begin = 0;
  StreamPos pos;
  for (int64_t i = 0; i < corpus.size(); i += kServerBatch) {
    std::vector<RemoteUnit> units;
    for (int64_t u = i; u < std::min(corpus.size(), i + kServerBatch); ++u) {
      std::string text = corpus.Sentence(u);
      UnitRow of_unit = RowOf(corpus, u, pos, text_begin, text);
      of_unit.question = false;  // one search is to find them all
      text_begin = of_unit.text_end + 1;
      pos = of_unit.span.end;
      RemoteUnit unit = MakeRemoteUnit(stream.name, of_unit);
      unit.text = std::move(text);
      unit.vector = corpus.Vector(u);
      brute.Show(unit.vector);
      units.push_back(std::move(unit));
    }
    const Stopwatch clock;
    RETURN_IF_ERROR(remote->Upsert(stream.name, units));
    ms += clock.Ms();
  }
  row.ingest_per_s = 1000 * static_cast<double>(corpus.size()) / ms;
  std::this_thread::sleep_for(options.pause);
  std::vector<double> times;
  double recall = 0;
  for (int64_t q = 0; q < options.n_questions; ++q) {
    const std::vector<float> vector = corpus.QuestionVector(q);
    const Stopwatch clock;
    ASSIGN_OR_RETURN(const auto hits,
                     remote->Nearest(stream.name, vector, kBest, {false, pos},
                                     RemoteStore::Deadline::clock::now() + remote_options.timeout));
    times.push_back(clock.Ms());
    if (static_cast<size_t>(q) >= brute.n_questions()) continue;
    std::vector<float> scores;
    for (const RemoteHit& hit : hits) scores.push_back(hit.cosine);
    recall += brute.Recall(static_cast<size_t>(q), scores);
  }
  row.query_p50_ms = Quantile(times, 0.5);
  row.query_p99_ms = Quantile(times, 0.99);
  row.recall_at_10 = recall / static_cast<double>(std::max<size_t>(1, brute.n_questions()));
  row.resident_bytes = options.resident_bytes() - resident;
  RETURN_IF_ERROR(remote->DropStream(stream.name));
  return row;
}

}  // namespace

Result<void> BenchMemory(const MemoryBenchOptions& options,
                         const std::function<void(const MemoryBenchRow&)>& on_row) {
  for (const std::string& store : options.stores) {
    if (store != "sqlite" && !IsServerLocation(store)) {
      return Fail(ErrorKind::kInvalid, store, "is no store to measure",
                  "name sqlite, postgresql://… or chroma:…");
    }
  }
  for (const int64_t size : options.sizes) {
    const BenchCorpus corpus(size);
    for (const std::string& store : options.stores) {
      ASSIGN_OR_RETURN(const MemoryBenchRow row, store == "sqlite"
                                                     ? SqliteBench(corpus, options).Run()
                                                     : RunServer(corpus, store, options));
      on_row(row);
    }
  }
  return {};
}

}  // namespace anabranch
