#include "memory/reindex.h"

#include <fmt/format.h>

#include "memory/drain_store.h"
#include "memory/indexer.h"
#include "memory/next_index.h"
#include "memory/schema.h"
#include "memory/sqlite_memory.h"
#include "memory/unit_store.h"

namespace anabranch {
namespace {

// Builds the next index of one stream.
class Builder {
 public:
  Builder(Database* db, SharedEmbedder* embedder, const StreamRow& stream)
      : embedder_(*embedder), journal_(db, stream.id), next_(db, stream.id, stream.name) {}

  // All that is settled of the journal. on_step is given the text that is done.
  Result<void> Run(const std::function<Result<void>(int64_t done)>& on_step) {
    ASSIGN_OR_RETURN(NextState state, next_.Begin(embedder_.handle));
    SettledText settled;
    while (true) {
      ASSIGN_OR_RETURN(const bool found,
                       NextSettled(journal_, state.indexed_text, embedder_.handle, &settled));
      if (!found) return {};
      ASSIGN_OR_RETURN(const bool added, Add(settled.cut, &state));
      if (!added) {
        ASSIGN_OR_RETURN(state, next_.Begin(embedder_.handle));
      }
      RETURN_IF_ERROR(on_step(state.indexed_text));
    }
  }

 private:
  Result<bool> Add(const CutRun& cut, NextState* state) {
    ASSIGN_OR_RETURN(const std::vector<float> vectors, EmbedAll(embedder_.handle, cut.texts));
    NextState after = {cut.next_text, state->null_scores};
    if (after.null_scores.empty()) after.null_scores = embedder_.null->NoScores();
    const auto width = static_cast<size_t>(embedder_.handle.width);
    for (size_t i = 0; i < cut.units.size(); ++i) {
      if (cut.units[i].question) continue;
      const auto vector = std::span<const float>(vectors).subspan(i * width, width);
      embedder_.null->Update(vector, after.null_scores);
    }
    ASSIGN_OR_RETURN(const bool added, next_.Add(*state, cut, vectors, after));
    if (added) *state = std::move(after);
    return added;
  }

  SharedEmbedder& embedder_;
  const JournalStore journal_;
  NextIndex next_;
};

// The index of streams goes, with what belongs to no unit. Words are indexed anew of those streams
// that stay: the index of words does not know a stream's.
Result<void> DropIndexes(Database* db, const std::vector<StreamRow>& streams) {
  for (const StreamRow& stream : streams) {
    for (const char* sql :
         {"DELETE FROM unit WHERE stream = ?1", "DELETE FROM term_df WHERE stream = ?1"}) {
      ASSIGN_OR_RETURN(Statement drop, db->Prepare(sql));
      RETURN_IF_ERROR(drop.Bind(1, stream.id).Run());
    }
    RETURN_IF_ERROR(DrainStore(db, stream.id).DropUnitsFirst());
  }
  RETURN_IF_ERROR(
      db->Exec("DELETE FROM vector WHERE unit NOT IN (SELECT key FROM unit);"
               "DELETE FROM code WHERE unit NOT IN (SELECT key FROM unit);"
               "DELETE FROM quarantine WHERE unit NOT IN (SELECT key FROM unit);"
               "INSERT INTO unit_words(unit_words) VALUES('delete-all')"));
  return IndexWordsOfAll(db);
}

bool SameStreams(const std::vector<StreamRow>& a, const std::vector<StreamRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const StreamRow& x, const StreamRow& y) { return x.id == y.id; });
}

}  // namespace

Result<void> SqliteMemory::CheckReindexed(const std::string& stream) {
  if (stream.empty() || CheckFingerprints()) return {};
  ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(""));
  if (streams.size() == 1 && streams.front().name == stream) return {};
  return Fail(ErrorKind::kInvalid, db_->name(),
              "its other streams have the vectors of another embedder or cutter",
              "leave --stream out: then all are indexed anew");
}

Result<StreamsReport> SqliteMemory::Reindex(const std::string& stream, const StepFn& on_step) {
  RETURN_IF_ERROR(CheckServer());
  RETURN_IF_ERROR(embedder_.Prepare());
  RETURN_IF_ERROR(CheckReindexed(stream));
  std::vector<std::string> names;
  {
    ASSIGN_OR_RETURN(const StreamLock only, StreamLock::Take(path_ + "-reindex", "memory reindex"));
    for (bool switched = false; !switched;) {
      ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(stream));
      RETURN_IF_ERROR(BuildNext(streams, on_step));
      std::vector<StreamLock> locks;
      names.clear();
      for (const StreamRow& row : streams) {
        Result<StreamLock> lock = Lock(row.name);
        if (!lock) {
          lock.error().remedy = "end it and run memory reindex again: what is built is kept";
          return tl::make_unexpected(lock.error());
        }
        locks.push_back(*std::move(lock));
        names.push_back(row.name);
      }
      RETURN_IF_ERROR(BuildNext(streams, on_step));  // what was said meanwhile
      ASSIGN_OR_RETURN(switched, SwitchIndexes(stream, streams));
    }
  }
  return IndexStreams(names, on_step);
}

Result<void> SqliteMemory::BuildNext(const std::vector<StreamRow>& streams, const StepFn& on_step) {
  int64_t total = 0, done = 0;
  std::vector<int64_t> sizes;
  for (const StreamRow& row : streams) {
    ASSIGN_OR_RETURN(const JournalEnd end, JournalStore(db_.get(), row.id).End());
    sizes.push_back(end.text_end);
    total += end.text_end;
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    const auto step = [&](int64_t of_stream) {
      return on_step ? on_step("index", done + of_stream, total) : Result<void>();
    };
    RETURN_IF_ERROR(Builder(db_.get(), &embedder_, streams[i]).Run(step));
    done += sizes[i];
  }
  return {};
}

// False: there is a stream more, which is not built yet.
Result<bool> SqliteMemory::SwitchIndexes(const std::string& stream,
                                         const std::vector<StreamRow>& streams) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_.get()));
  ASSIGN_OR_RETURN(const std::vector<StreamRow> now, Streams(stream));
  if (!SameStreams(now, streams)) return false;
  RETURN_IF_ERROR(DropIndexes(db_.get(), streams));
  for (const StreamRow& row : streams) {
    RETURN_IF_ERROR(NextIndex(db_.get(), row.id, row.name).Switch());
  }
  RETURN_IF_ERROR(WriteFingerprints());
  RETURN_IF_ERROR(transaction.Commit());
  return true;
}

Result<StreamsReport> Reindex(const std::string& location, EmbedderHandle embedder,
                              const MemoryOptions& options, const std::string& stream,
                              const StepFn& on_step) {
  ASSIGN_OR_RETURN(const auto memory, SqliteMemory::OpenAt(location, std::move(embedder), options,
                                                           SqliteMemory::Fingerprints::kAny));
  return memory->Reindex(stream, on_step);
}

}  // namespace anabranch
