#include "memory/stream_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "memory/erasure.h"
#include "memory/indexer.h"
#include "memory/local_index.h"
#include "memory/recall.h"
#include "memory/recall_scope.h"
#include "memory/schema.h"
#include "memory/server_index.h"
#include "memory/vector_code.h"

namespace anabranch {
namespace {

// All of the tail.
const RecallQuery kEverything = {.mode = RecallMode::kAlways};
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

}  // namespace

Result<void> SharedEmbedder::Prepare() {
  if (!handle.embed) {
    return Fail(ErrorKind::kInvalid, "memory", "it was opened without an embedder",
                "name one to index or search");
  }
  if (!null) {
    ASSIGN_OR_RETURN(null, NullEmbeddings::Create(handle));
  }
  return {};
}

StreamStore::StreamStore(Database* db, SharedEmbedder* embedder, int64_t stream,
                         const std::string& name, StreamLock lock)
    : embedder_(embedder),
      name_(name),
      lock_(std::move(lock)),
      layer_(db, stream, name, embedder->handle.width) {}

StreamStore::~StreamStore() {
  if (on_close_) on_close_();
}

Result<std::unique_ptr<StreamStore>> StreamStore::Open(Database* db, SharedEmbedder* embedder,
                                                       int64_t stream, const std::string& name,
                                                       StreamLock lock) {
  std::unique_ptr<StreamStore> store(new StreamStore(db, embedder, stream, name, std::move(lock)));
  RETURN_IF_ERROR(store->Reload());
  return store;
}

Result<StreamStore::LoadedAt> StreamStore::Now() const {
  LoadedAt now;
  ASSIGN_OR_RETURN(now.removals, Removals(layer_.journal.db()));
  ASSIGN_OR_RETURN(now.indexed_text, layer_.units.IndexedText());
  ASSIGN_OR_RETURN(now.counted_text, layer_.terms.CountedText());
  ASSIGN_OR_RETURN(now.generation, ReadMeta(layer_.journal.db(), kGenerationKey));
  return now;
}

Result<void> StreamStore::Reload() {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Snapshot::Begin(layer_.journal.db()));
  ASSIGN_OR_RETURN(loaded_at_, Now());
  ASSIGN_OR_RETURN(stored_, layer_.journal.End());
  appended_ = stored_;
  buffer_.clear();
  tail_vectors_.clear();
  indexed_text_ = loaded_at_.indexed_text;
  RETURN_IF_ERROR(FindIndexedEnd());
  return LoadUnits();
}

Result<void> StreamStore::LoadUnits() {
  layer_.table = UnitTable(embedder_->handle.width);
  layer_.at_server.clear();
  null_scores_.clear();
  if (!embedder_->handle.embed) return {};
  RETURN_IF_ERROR(layer_.terms.Load());
  ASSIGN_OR_RETURN(const DrainedTo drained,
                   DrainStore(layer_.journal.db(), layer_.journal.stream()).Drained());
  RETURN_IF_ERROR(layer_.units.Load(embedder_->handle.width, drained.unit,
                                    [this](const UnitRow& unit, std::span<const std::byte> code) {
                                      if (code.empty()) {
                                        layer_.at_server[layer_.units.IdOf(unit)] =
                                            layer_.table.size();
                                      }
                                      layer_.table.Add(unit, code);
                                    }));
  if (layer_.table.size() == 0) return {};
  RETURN_IF_ERROR(embedder_->Prepare());
  ASSIGN_OR_RETURN(null_scores_, layer_.units.NullScores());
  const std::vector<float> none = embedder_->null->NoScores();
  if (null_scores_.size() == none.size()) return {};
  null_scores_ = none;
  std::vector<float> vector(static_cast<size_t>(embedder_->handle.width));
  for (int64_t i = 0; i < layer_.table.size(); ++i) {
    if (layer_.table.row(i).question || !layer_.table.IsHere(i)) continue;
    RETURN_IF_ERROR(layer_.units.ReadVector(layer_.table.row(i), vector));
    embedder_->null->Update(vector, null_scores_);
  }
  return {};
}

Result<void> StreamStore::FindIndexedEnd() {
  ASSIGN_OR_RETURN(const std::optional<StreamPos> pending, layer_.journal.PosOf(indexed_text_));
  indexed_end_ = pending ? *pending : stored_.end;
  return {};
}

Result<void> StreamStore::Read(
    StreamSpan span, const std::function<Result<void>(const StoredRecord&)>& visit) const {
  if (own_db_)
    return Fail(ErrorKind::kUnsupported, "a fork", "keeps no journal", "read its stream");
  return layer_.journal.ForEach(span, visit);
}

Result<void> StreamStore::Append(JournalRecord record) {
  if (record.ids.empty()) return {};
  std::string fault = RecordFault(record);
  if (fault.empty() && !appended_.empty) {
    if (record.begin != appended_.end) {
      fault = fmt::format("begins at {}, but the journal ends at {}", record.begin.value(),
                          appended_.end.value());
    } else if (record.turn < appended_.turn) {
      fault = fmt::format("turn {} comes after turn {}", record.turn, appended_.turn);
    }
  }
  if (!fault.empty()) {
    return Fail(ErrorKind::kInvalid, fmt::format("journal record of stream '{}'", name_), fault);
  }
  appended_.empty = false;
  appended_.end = record.end();
  appended_.turn = record.turn;
  buffer_.push_back(std::move(record));
  return {};
}

Result<void> StreamStore::Sync() {
  if (buffer_.empty()) return {};
  JournalEnd end = stored_;
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(layer_.journal.db()));
  for (const JournalRecord& record : buffer_) {
    RETURN_IF_ERROR(layer_.journal.Insert(record, &end));
  }
  RETURN_IF_ERROR(transaction.Commit());
  stored_ = end;
  buffer_.clear();
  if (server_ != nullptr) server_->drain().Notify();
  return FindIndexedEnd();
}

StreamPos StreamStore::indexed_end() const {
  if (server_ == nullptr || own_db_ != nullptr) return indexed_end_;
  // What cannot be read now is not claimed.
  return DrainStore(layer_.journal.db(), layer_.journal.stream())
      .IndexedEnd(indexed_end_)
      .value_or(StreamPos(0));
}

Result<void> StreamStore::Index(bool end_of_turn) {
  RETURN_IF_ERROR(embedder_->Prepare());
  SettledText settled;
  while (true) {
    ASSIGN_OR_RETURN(const bool found,
                     NextSettled(layer_.journal, indexed_text_, embedder_->handle, &settled));
    if (!found) break;
    RETURN_IF_ERROR(AddSettled(&settled.cut));
    if (on_step_) RETURN_IF_ERROR(on_step_("index", indexed_text_, stored_.text_end));
  }
  if (server_ != nullptr) server_->drain().Notify();
  RETURN_IF_ERROR(FindIndexedEnd());
  if (end_of_turn) RETURN_IF_ERROR(Tail(kEverything));  // its vectors are kept for Recall
  return {};
}

// Indexes settled text, whose units get their keys.
Result<void> StreamStore::AddSettled(CutRun* settled) {
  ASSIGN_OR_RETURN(const std::vector<float> vectors, Embed(settled->units, settled->texts));
  const auto width = static_cast<size_t>(embedder_->handle.width);
  const auto vector = [&](size_t i) {
    return std::span<const float>(vectors).subspan(i * width, width);
  };
  std::vector<float> null_scores =
      null_scores_.empty() ? embedder_->null->NoScores() : null_scores_;
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(layer_.journal.db()));
  for (size_t i = 0; i < settled->units.size(); ++i) {
    RETURN_IF_ERROR(layer_.units.Insert(&settled->units[i], vector(i), settled->texts[i]));
    if (!settled->units[i].question) embedder_->null->Update(vector(i), null_scores);
  }
  RETURN_IF_ERROR(layer_.units.SetIndexed(settled->next_text, null_scores));
  RETURN_IF_ERROR(transaction.Commit());
  for (size_t i = 0; i < settled->units.size(); ++i) {
    layer_.table.Add(settled->units[i], EncodeVector(vector(i)));
    layer_.terms.Add(settled->texts[i]);
  }
  null_scores_ = std::move(null_scores);
  indexed_text_ = settled->next_text;
  return layer_.terms.WriteIfMany();
}

// Vectors of units, those of the tail from its last embedding.
Result<std::vector<float>> StreamStore::Embed(std::span<const UnitRow> units,
                                              std::span<const std::string_view> texts) {
  const auto width = static_cast<size_t>(embedder_->handle.width);
  std::vector<float> vectors(units.size() * width);
  std::vector<std::string_view> missing;
  std::vector<size_t> at;
  for (size_t i = 0; i < units.size(); ++i) {
    const auto known = tail_vectors_.find({units[i].text_begin, units[i].text_end});
    if (known == tail_vectors_.end()) {
      missing.push_back(texts[i]);
      at.push_back(i);
    } else {
      std::copy(known->second.begin(), known->second.end(), vectors.data() + i * width);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<float> embedded, EmbedAll(embedder_->handle, missing));
  for (size_t i = 0; i < at.size(); ++i) {
    std::copy_n(embedded.data() + i * width, width, vectors.data() + at[i] * width);
  }
  return vectors;
}

Result<TailUnits> StreamStore::Tail(const RecallQuery& query) {
  const RecallScope scope(query);
  TailUnits tail(embedder_->handle.width);
  std::map<std::pair<int64_t, int64_t>, std::vector<float>> vectors_now;
  for (int64_t from = indexed_text_;;) {
    ASSIGN_OR_RETURN(std::optional<RunText> run, layer_.journal.NextRun(from, kNoLimit));
    if (!run) break;
    from = run->text_end();
    if (query.exclude.size() > 0) run->CutAt(query.exclude.begin);
    if (run->text.empty()) continue;
    CutRun cut = CutRunText(*run, true, embedder_->handle);
    std::vector<UnitRow> units;
    std::vector<std::string_view> texts;
    for (size_t i = 0; i < cut.units.size(); ++i) {
      const std::pair<int64_t, int64_t> text(cut.units[i].text_begin, cut.units[i].text_end);
      if (scope.Allows(cut.units[i].span)) {
        units.push_back(cut.units[i]);
        texts.push_back(cut.texts[i]);
      } else if (const auto known = tail_vectors_.find(text); known != tail_vectors_.end()) {
        vectors_now.insert(*known);
      }
    }
    ASSIGN_OR_RETURN(const std::vector<float> vectors, Embed(units, texts));
    const float* vector = vectors.data();
    for (const UnitRow& unit : units) {
      tail.table.Add(unit, {});
      vectors_now[{unit.text_begin, unit.text_end}] = {vector, vector + embedder_->handle.width};
      vector += embedder_->handle.width;
    }
    tail.vectors.insert(tail.vectors.end(), vectors.begin(), vectors.end());
  }
  tail_vectors_ = std::move(vectors_now);
  return tail;
}

std::vector<const IndexLayer*> StreamStore::Layers() const {
  std::vector<const IndexLayer*> layers = below_;
  layers.push_back(&layer_);
  return layers;
}

Result<RecallResult> StreamStore::Recall(const RecallQuery& query) {
  if (query.mode == RecallMode::kNever) return RecallResult{};
  RETURN_IF_ERROR(embedder_->Prepare());
  ASSIGN_OR_RETURN(const TailUnits tail, Tail(query));
  std::vector<float> null_scores =
      null_scores_.empty() ? embedder_->null->NoScores() : null_scores_;
  const auto width = static_cast<size_t>(embedder_->handle.width);
  for (int64_t i = 0; i < tail.table.size(); ++i) {
    if (tail.table.row(i).question) continue;
    const auto vectors = std::span<const float>(tail.vectors);
    embedder_->null->Update(vectors.subspan(static_cast<size_t>(i) * width, width), null_scores);
  }
  const UnitView view(Layers(), &tail);
  ASSIGN_OR_RETURN(const Snapshot snapshot, Snapshot::Begin(layer_.journal.db()));
  LocalIndex local(view, embedder_->handle);
  if (server_ != nullptr && !query.continues) server_->StartRecall();
  if (server_ == nullptr) {
    return RecallFrom(view, local, name_, embedder_->handle, *embedder_->null, null_scores, query);
  }
  ServerIndex dense(view, &local, *view.layers().front(), server_, at_server_, embedder_->handle);
  ASSIGN_OR_RETURN(RecallResult result, RecallFrom(view, dense, name_, embedder_->handle,
                                                   *embedder_->null, null_scores, query));
  result.fault = dense.fault();
  return result;
}

Result<RecallResult> StreamStore::RecallAsReader(const RecallQuery& query) {
  // Of one state of the file: its writer goes on meanwhile.
  ASSIGN_OR_RETURN(const Snapshot snapshot, Snapshot::Begin(layer_.journal.db()));
  ASSIGN_OR_RETURN(const LoadedAt now, Now());
  if (now.generation != loaded_at_.generation) {
    return Fail(ErrorKind::kInvalid, fmt::format("stream '{}'", name_),
                "was indexed anew since it was opened", "open it again");
  }
  if (now != loaded_at_) RETURN_IF_ERROR(Reload());
  return Recall(query);
}

Result<std::vector<Passage>> StreamStore::Search(std::string_view query, size_t k) {
  RETURN_IF_ERROR(embedder_->Prepare());
  ASSIGN_OR_RETURN(const TailUnits tail, Tail(kEverything));
  const UnitView view(Layers(), &tail);
  ASSIGN_OR_RETURN(const std::vector<float> vector, EmbedAll(embedder_->handle, {&query, 1}));
  LocalIndex local(view, embedder_->handle);
  std::optional<ServerIndex> with_server;
  if (server_ != nullptr) {
    server_->StartRecall();
    with_server.emplace(view, &local, layer_, server_, at_server_, embedder_->handle);
  }
  DenseIndex& dense = with_server ? static_cast<DenseIndex&>(*with_server) : local;
  std::vector<DenseHit> hits;
  for (const bool questions : {false, true}) {
    ASSIGN_OR_RETURN(const auto nearest, dense.Nearest(vector, k, {questions, stored_.end}));
    hits.insert(hits.end(), nearest[0].begin(), nearest[0].end());
  }
  if (with_server && !with_server->fault().empty()) {
    return Fail(ErrorKind::kUnavailable, server_->location(), with_server->fault(), "try again");
  }
  std::sort(hits.begin(), hits.end(), IsNearer);
  hits.resize(std::min(k, hits.size()));
  std::vector<Passage> passages;
  for (const DenseHit& hit : hits) {
    const UnitRow& row = view.row(hit.unit);
    ASSIGN_OR_RETURN(std::string text, view.Text(row.text_begin, row.text_end));
    ASSIGN_OR_RETURN(std::string source, view.Source(row));
    passages.push_back({name_, row.span, row.turn, row.role, row.time_ms, hit.cosine, 0,
                        std::move(source), std::move(text)});
  }
  return passages;
}

Result<std::unique_ptr<StreamMemory>> StreamStore::Fork() {
  RETURN_IF_ERROR(Sync());
  constexpr const char* kInRam = ":memory:";
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db,
                   OpenStore(kInRam, fmt::format("fork of stream '{}'", name_)));
  constexpr int64_t kForkStream = 1;
  ASSIGN_OR_RETURN(Statement insert,
                   db->Prepare("INSERT INTO stream(id, name, tokenizer) VALUES(?1, ?2, '')"));
  RETURN_IF_ERROR(insert.Bind(1, kForkStream).BindText(2, name_).Run());
  std::unique_ptr<StreamStore> fork(
      new StreamStore(db.get(), embedder_, kForkStream, name_, StreamLock()));
  RETURN_IF_ERROR(CopyPending(fork.get()));
  fork->own_db_ = std::move(db);
  fork->server_ = server_;
  fork->at_server_ = at_server_;
  fork->below_ = Layers();
  fork->layer_.text_begin = indexed_text_;
  fork->stored_ = fork->appended_ = stored_;
  fork->indexed_text_ = indexed_text_;
  fork->indexed_end_ = indexed_end_;
  fork->null_scores_ = null_scores_;
  fork->tail_vectors_ = tail_vectors_;
  return fork;
}

// The records that hold the pending tail, and those behind them.
Result<void> StreamStore::CopyPending(StreamStore* fork) const {
  ASSIGN_OR_RETURN(const std::optional<StreamPos> pending, layer_.journal.PosOf(indexed_text_));
  if (!pending) return {};
  return layer_.journal.ForEach({*pending, stored_.end}, [&](StoredRecord record) {
    return fork->layer_.journal.InsertStored(record);
  });
}

}  // namespace anabranch
