#include "memory/sqlite_memory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "memory/erasure.h"
#include "memory/schema.h"
#include "text/cutter.h"

namespace anabranch {
namespace {

constexpr std::string_view kCutterKey = "cutter", kEmbedderKey = "embedder",
                           kWidthKey = "embedder width";
class StoreReader final : public StreamReader {
 public:
  explicit StoreReader(std::unique_ptr<StreamStore> store) : store_(std::move(store)) {}
  const std::string& name() const override { return store_->name(); }
  Result<RecallResult> Recall(const RecallQuery& query) override {
    return store_->RecallAsReader(query);
  }

 private:
  std::unique_ptr<StreamStore> store_;
};

// A memory that may not be written to can be read.
Result<std::unique_ptr<Database>> OpenWhatMayBe(const std::string& path) {
  if (path.empty()) return OpenStore(path, "the memory of this process");
  const auto may_write = [](const std::string& name) {
    return access(name.c_str(), W_OK) == 0 || errno == ENOENT;
  };
  if (!may_write(path)) return OpenStoreToRead(path, path);
  auto db = OpenStore(path, path);
  std::error_code error;
  if (db || db.error().kind != ErrorKind::kIo || !std::filesystem::exists(path, error)) return db;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return may_write(folder.empty() ? "." : folder) ? std::move(db) : OpenStoreToRead(path, path);
}

}  // namespace

Result<std::unique_ptr<SqliteMemory>> SqliteMemory::Open(const std::string& path,
                                                         EmbedderHandle embedder,
                                                         Fingerprints fingerprints) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, OpenWhatMayBe(path));
  // The file is there now, so that a link to it, even one that dangled before, leads to its path.
  std::error_code error;
  const std::string file =
      path.empty() ? "" : std::filesystem::weakly_canonical(path, error).string();
  if (error) return Fail(ErrorKind::kIo, path, error.message(), "name the file by another path");
  std::unique_ptr<SqliteMemory> memory(new SqliteMemory(file, std::move(db), std::move(embedder)));
  if (fingerprints == Fingerprints::kOurs) RETURN_IF_ERROR(memory->CheckFingerprints());
  // What a reader kept from being erased. If it still does, or the file cannot be written, the next
  // to open the file tries.
  static_cast<void>(FinishErasure(memory->db_.get(), std::chrono::milliseconds(0)));
  return memory;
}

Result<void> SqliteMemory::CheckFingerprints() {
  const auto check = [this](std::string_view key, const std::string& ours) -> Result<void> {
    ASSIGN_OR_RETURN(const std::string theirs, ReadMeta(db_.get(), key));
    if (theirs.empty()) return WriteMeta(db_.get(), key, ours);
    if (theirs == ours) return {};
    return Fail(ErrorKind::kInvalid, db_->name(),
                fmt::format("was made with {} {}, and this is {}", key, theirs, ours),
                "name the one that it was made with, or make its index anew with memory reindex");
  };
  RETURN_IF_ERROR(check(kCutterKey, std::to_string(kCutterVersion)));
  EmbedderHandle& embedder = embedder_.handle;
  if (!embedder.embed) {
    // A server is told which embedder made what it has.
    ASSIGN_OR_RETURN(embedder.fingerprint, ReadMeta(db_.get(), kEmbedderKey));
    ASSIGN_OR_RETURN(const std::string width, ReadMeta(db_.get(), kWidthKey));
    embedder.width = std::atoi(width.c_str());
    return {};
  }
  RETURN_IF_ERROR(check(kEmbedderKey, embedder.fingerprint));
  return check(kWidthKey, std::to_string(embedder.width));
}

Result<void> SqliteMemory::WriteFingerprints() {
  ASSIGN_OR_RETURN(const std::string generation, ReadMeta(db_.get(), kGenerationKey));
  RETURN_IF_ERROR(
      WriteMeta(db_.get(), kGenerationKey, std::to_string(std::atoll(generation.c_str()) + 1)));
  RETURN_IF_ERROR(WriteMeta(db_.get(), kCutterKey, std::to_string(kCutterVersion)));
  RETURN_IF_ERROR(WriteMeta(db_.get(), kEmbedderKey, embedder_.handle.fingerprint));
  return WriteMeta(db_.get(), kWidthKey, std::to_string(embedder_.handle.width));
}

Result<StreamLock> SqliteMemory::Lock(const std::string& stream) const {
  if (db_->reads_only()) {
    return Fail(ErrorKind::kIo, db_->name(), "cannot be written",
                "check its permissions and those of its folder, or name another memory");
  }
  if (!path_.empty()) return StreamLock::Take(path_, stream);
  if (open_.contains(stream)) {
    return Fail(ErrorKind::kBusy, "stream '" + stream + "'", "is being written by this process",
                "end it, or use another stream name");
  }
  return StreamLock();
}

Result<int64_t> SqliteMemory::FindOrCreate(const std::string& name, const std::string& tokenizer) {
  ASSIGN_OR_RETURN(Statement insert,
                   db_->Prepare("INSERT OR IGNORE INTO stream(name, tokenizer) VALUES(?1, ?2)"));
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare("SELECT id, tokenizer FROM stream WHERE name = ?1"));
  ASSIGN_OR_RETURN(bool found, select.BindText(1, name).Step());
  if (!found) {
    RETURN_IF_ERROR(insert.BindText(1, name).BindText(2, tokenizer).Run());
    ASSIGN_OR_RETURN(found, select.Step());
  }
  const int64_t id = select.Int(0);
  const std::string recorded(select.Text(1));
  if (recorded == tokenizer) return id;
  if (Continues(recorded, tokenizer)) {
    ASSIGN_OR_RETURN(Statement complete,
                     db_->Prepare("UPDATE stream SET tokenizer = ?2 WHERE id = ?1"));
    RETURN_IF_ERROR(complete.Bind(1, id).BindText(2, tokenizer).Run());
    return id;
  }
  const bool same_tokenizer =
      recorded.substr(0, recorded.find('+')) == tokenizer.substr(0, tokenizer.find('+'));
  return Fail(
      ErrorKind::kInvalid, fmt::format("stream '{}' of {}", name, db_->name()),
      fmt::format("was written with {} {}, and this is {}",
                  same_tokenizer ? "another chat template," : "tokenizer", recorded, tokenizer),
      fmt::format("use the model and --chat-template that it was written with, or write it "
                  "anew: memory export --stream '{}', then memory import --retokenize "
                  "--stream NEW",
                  name));
}

Result<std::unique_ptr<StreamMemory>> SqliteMemory::OpenStream(
    const std::string& name, const std::string& tokenizer_fingerprint) {
  RETURN_IF_ERROR(CheckServer());
  ASSIGN_OR_RETURN(StreamLock lock, Lock(name));
  RETURN_IF_ERROR(CheckFingerprints());  // another process may have indexed it anew since Open
  ASSIGN_OR_RETURN(const int64_t id, FindOrCreate(name, tokenizer_fingerprint));
  ASSIGN_OR_RETURN(std::string notice, JournalStore(db_.get(), id).DropTornEnd());
  if (server_ != nullptr) RETURN_IF_ERROR(OpenAtServer(id, name, tokenizer_fingerprint));
  ASSIGN_OR_RETURN(std::unique_ptr<StreamStore> store,
                   StreamStore::Open(db_.get(), &embedder_, id, name, std::move(lock)));
  if (server_ != nullptr) store->set_server(server_.get(), AtServer(name, tokenizer_fingerprint));
  store->set_notice(std::move(notice));
  open_[name] = store.get();
  store->set_on_close([this, name] { open_.erase(name); });
  return store;
}

Result<StreamsReport> SqliteMemory::IndexStreams(const std::vector<std::string>& names,
                                                 const StepFn& on_step) {
  std::vector<std::unique_ptr<StreamMemory>> writers;  // while the server is awaited, too
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::vector<StreamRow> rows, Streams(name));
    ASSIGN_OR_RETURN(writers.emplace_back(), OpenStream(name, rows.front().tokenizer));
    open_.at(name)->set_on_step(on_step);
    RETURN_IF_ERROR(writers.back()->Index(/*end_of_turn=*/false));
  }
  StreamsReport report;
  ASSIGN_OR_RETURN(report.behind, AwaitServer(on_step));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::vector<StreamRow> rows, Streams(name));
    ASSIGN_OR_RETURN(MemoryStreamInfo info, Describe(rows.front()));
    report.streams.push_back(std::move(info));
  }
  return report;
}

Result<std::unique_ptr<StreamReader>> SqliteMemory::OpenReader(const std::string& name) {
  RETURN_IF_ERROR(CheckServer());
  ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(name));
  ASSIGN_OR_RETURN(std::unique_ptr<StreamStore> store, OpenToRead(streams.front()));
  return std::make_unique<StoreReader>(std::move(store));
}

Result<std::unique_ptr<StreamStore>> SqliteMemory::OpenToRead(const StreamRow& stream) {
  ASSIGN_OR_RETURN(std::unique_ptr<StreamStore> store,
                   StreamStore::Open(db_.get(), &embedder_, stream.id, stream.name, {}));
  if (server_ != nullptr) store->set_server(server_.get(), AtServer(stream.name, stream.tokenizer));
  return store;
}

Result<VerifyReport> SqliteMemory::Verify() {
  VerifyReport report = VerifyDatabase(db_.get(), embedder_.handle);
  const Result<std::vector<StreamRow>> streams = Streams("");
  if (!streams) return report;  // reported by then
  for (const StreamRow& stream : *streams) {
    if (auto checked = VerifyAtServer(stream, &report); !checked) {
      report.ok = false;
      report.faults.push_back(stream.name + ": " + checked.error().fault);
    }
  }
  return report;
}

Result<std::vector<MemoryStreamInfo>> SqliteMemory::List() {
  ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(""));
  std::vector<MemoryStreamInfo> infos;
  for (const StreamRow& stream : streams) {
    ASSIGN_OR_RETURN(MemoryStreamInfo info, Describe(stream));
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<std::vector<Passage>> SqliteMemory::Search(const std::string& stream, std::string_view query,
                                                  int32_t k) {
  RETURN_IF_ERROR(CheckServer());
  ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(stream));
  const auto n = static_cast<size_t>(std::max(k, 0));
  std::vector<Passage> found;
  for (const StreamRow& row : streams) {
    std::unique_ptr<StreamStore> reader;
    const auto open = open_.find(row.name);
    StreamStore* store = open == open_.end() ? nullptr : open->second;
    if (store == nullptr) {
      ASSIGN_OR_RETURN(reader, OpenToRead(row));
      store = reader.get();
    }
    ASSIGN_OR_RETURN(std::vector<Passage> passages, store->Search(query, n));
    std::move(passages.begin(), passages.end(), std::back_inserter(found));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Passage& a, const Passage& b) { return a.score > b.score; });
  found.resize(std::min(found.size(), n));
  return found;
}

Result<std::vector<MemoryTurn>> SqliteMemory::Show(const std::string& stream, StreamSpan span) {
  ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(stream));
  std::vector<MemoryTurn> turns;
  for (const StreamRow& row : streams) {
    RETURN_IF_ERROR(JournalStore(db_.get(), row.id)
                        .ForEach(span, [&](const StoredRecord& stored) -> Result<void> {
                          if (stored.record.kind != RecordKind::kText) return {};
                          const StoredRecord part =
                              PartOf(stored, std::max(span.begin, stored.record.begin),
                                     std::min(span.end, stored.end));
                          const bool same = !turns.empty() && turns.back().stream == row.name &&
                                            turns.back().turn == part.record.turn &&
                                            turns.back().span.end == part.record.begin;
                          if (!same) {
                            turns.push_back({row.name,
                                             part.record.turn,
                                             part.record.role,
                                             {part.record.begin, part.record.begin},
                                             part.record.time_ms,
                                             ""});
                          }
                          turns.back().span.end = part.end;
                          turns.back().text += part.record.bytes;
                          return {};
                        }));
  }
  return turns;
}

Result<int64_t> SqliteMemory::DiskBytes() const {
  ASSIGN_OR_RETURN(const int64_t pages, db_->QueryInt("PRAGMA page_count"));
  ASSIGN_OR_RETURN(const int64_t page_size, db_->QueryInt("PRAGMA page_size"));
  int64_t bytes = pages * page_size;
  struct stat wal = {};
  if (!path_.empty() && stat((path_ + "-wal").c_str(), &wal) == 0) bytes += wal.st_size;
  return bytes;
}

}  // namespace anabranch
