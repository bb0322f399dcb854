// Memory in one SQLite file: alone, or as the journal of a server.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "memory/memory.h"
#include "memory/server.h"
#include "memory/stream_info.h"
#include "memory/stream_store.h"
#include "memory/verify.h"

namespace anabranch {

class SqliteMemory : public Memory {
 public:
  // What the file's index was made with: as this program would, or anything, to be made anew.
  enum class Fingerprints : bool { kOurs, kAny };

  // As OpenMemory.
  static Result<std::unique_ptr<SqliteMemory>> OpenAt(const std::string& location,
                                                      EmbedderHandle embedder,
                                                      const MemoryOptions& options,
                                                      Fingerprints fingerprints);
  // `path` "": a temporary database of this process.
  static Result<std::unique_ptr<SqliteMemory>> Open(
      const std::string& path, EmbedderHandle embedder,
      Fingerprints fingerprints = Fingerprints::kOurs);

  // Makes it the journal of a server. Error kInvalid: it is another server's.
  Result<void> Attach(const std::string& location, const MemoryOptions& options);

  Result<std::unique_ptr<StreamMemory>> OpenStream(
      const std::string& name, const std::string& tokenizer_fingerprint) override;
  Result<std::unique_ptr<StreamReader>> OpenReader(const std::string& name) override;
  Result<std::vector<MemoryStreamInfo>> List() override;
  Result<std::vector<Passage>> Search(const std::string& stream, std::string_view query,
                                      int32_t k) override;
  Result<std::vector<MemoryTurn>> Show(const std::string& stream, StreamSpan span) override;
  Result<ForgetResult> Forget(const std::string& stream, const ForgetSelection& what,
                              bool dry_run) override;
  Result<void> Export(const std::string& stream, const LineSink& sink) override;
  Result<StreamsReport> Import(const LineSource& next, const ImportPlan& plan) override;
  // See memory/reindex.h.
  Result<StreamsReport> Reindex(const std::string& stream, const StepFn& on_step);
  Result<StreamsReport> Settle(const std::string& stream, const StepFn& on_step) override {
    return IndexStreams({stream}, on_step);
  }
  Result<VerifyReport> Verify() override;
  Result<int64_t> DiskBytes() const override;

 private:
  SqliteMemory(std::string path, std::unique_ptr<Database> db, EmbedderHandle embedder)
      : path_(std::move(path)), db_(std::move(db)), embedder_{std::move(embedder), {}} {}
  Result<void> CheckFingerprints();
  // Of an index that was put in another one's place.
  Result<void> WriteFingerprints();
  // Error kInvalid: `stream` cannot be indexed anew without the others.
  Result<void> CheckReindexed(const std::string& stream);
  // Builds the next index of streams, as far as their journals are settled.
  Result<void> BuildNext(const std::vector<StreamRow>& streams, const StepFn& on_step);
  // Puts it in the old one's place. False: `stream` ("": all) is not `streams` any more.
  Result<bool> SwitchIndexes(const std::string& stream, const std::vector<StreamRow>& streams);
  // Error kInvalid: the file is a server's journal, and was opened without its server.
  Result<void> CheckServer() const;
  Result<void> OpenAtServer(int64_t stream, const std::string& name, const std::string& tokenizer);
  RemoteStreamInfo AtServer(const std::string& name, const std::string& tokenizer) const;
  Result<void> VerifyAtServer(const StreamRow& stream, VerifyReport* report) const;
  // Waits until the server has been told what was forgotten; says what keeps its bytes then, as the
  // end of "erased when".
  Result<std::string> LeftAtServer(std::chrono::milliseconds patience) const;
  // A store of a stream that somebody else may be writing.
  Result<std::unique_ptr<StreamStore>> OpenToRead(const StreamRow& stream);
  Result<std::vector<StreamRow>> Streams(const std::string& name) const {
    return ListStreams(db_.get(), name);
  }
  Result<int64_t> FindOrCreate(const std::string& name, const std::string& tokenizer);
  Result<MemoryStreamInfo> Describe(const StreamRow& stream) const {
    return DescribeStream(db_.get(), stream);
  }
  // Forget in one stream; adds to `result`. The write-ahead log still has what went. True: a server
  // has the stream, too.
  Result<bool> ForgetIn(const StreamRow& stream, const ForgetSelection& what, bool dry_run,
                        ForgetResult* result);
  Result<StreamLock> Lock(const std::string& stream) const;
  // Indexes what is settled of streams, brings it to the server, and says what there is then.
  Result<StreamsReport> IndexStreams(const std::vector<std::string>& names, const StepFn& on_step);
  // Until the server has all that the file has, or answers no more; why it has not.
  Result<std::string> AwaitServer(const StepFn& on_step);

  std::string path_;  // absolute, without symbolic links: one file has one lock. "": of no file
  std::unique_ptr<Database> db_;
  SharedEmbedder embedder_;
  std::unique_ptr<Server> server_;            // null: none
  std::map<std::string, StreamStore*> open_;  // the streams that are being written, by name
};

}  // namespace anabranch
