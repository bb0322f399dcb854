// Brings a server store up to the local file: what was forgotten, the journal (where the server
// keeps one), units. In order, a batch at a time, on a thread of its own, for as long as it takes.
//
// Invariants: the file says how far a stream is drained, and is told only after the server has
// acknowledged: a crash, or a lost answer, repeats a batch, and every write may be repeated. What
// is sent is read from the file at that moment: text that was forgotten is not there any more, and
// what had been sent before is erased at the server next.
//
// What the server says (remote_store.h): kUnavailable: the same batch again, after a growing pause
// with jitter, or as long as the server asked for. kLimit: half the batch. kInvalid: the batch in
// halves, until the one unit that the server refuses is known: it is quarantined in the file and
// blocks nothing. kDenied, kCorrupt, kUnsupported and a stream that is not this file's end the
// drain: opening the memory again starts it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "memory/drain_store.h"
#include "memory/remote_store.h"

namespace anabranch {

struct DrainOptions {
  int64_t batch_units = 256, batch_records = 256;
  int64_t batch_bytes = 2 << 20;
  std::chrono::milliseconds first_pause{100}, longest_pause{10000};
};

class Drain {
 public:
  // Opens connections of its own to the local file at `path`. `name` stands for the server in
  // errors.
  static Result<std::unique_ptr<Drain>> Start(const std::string& path, const std::string& name,
                                              std::unique_ptr<RemoteStore> remote,
                                              const DrainOptions& options);
  // Ends after the call to the server that is under way.
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // Opens and locks a stream at the server, brings to the file what the server's journal has beyond
  // it, and keeps the server up from now on. Call before the file's stream is read. After
  // kUnavailable the drain goes on trying; after another error the stream is left alone.
  Result<void> Open(int64_t stream, const RemoteStreamInfo& info);
  // Any thread:
  // There is something new in the file.
  void Notify();
  // True: the server has all there is. False: it is behind when `patience` is over, or does not
  // answer.
  bool Flush(std::chrono::milliseconds patience);
  // Why the server is behind; "": it answers.
  std::string fault() const;

 private:
  struct Followed {
    int64_t stream = 0;
    RemoteStreamInfo info;
    bool opened = false;  // at the server, in this connection
  };
  enum class Pulls : bool { kNo, kYes };

  Drain(std::string name, std::unique_ptr<Database> db, std::unique_ptr<RemoteStore> remote,
        const DrainOptions& options);
  void Run();
  // One batch of one stream. False: there was nothing to do.
  Result<bool> Step(Followed* followed);
  Result<void> OpenAtServer(Followed* followed, Pulls pulls);
  Result<void> Lock(const std::string& stream);
  Result<void> DropUnits(const Followed& followed);
  Result<void> MeetJournal(const Followed& followed, Pulls pulls);
  Result<void> CheckUnits(const Followed& followed);
  Failure Foreign(const Followed& followed, StreamPos from) const;
  Result<bool> EraseNext(const Followed& followed);
  Result<bool> SendRecords(const Followed& followed);
  Result<bool> SendUnits(const Followed& followed);
  // After a failed step: how long to wait; sets the fault. nullopt: for ever.
  std::optional<std::chrono::milliseconds> OnFailure(const Error& error);

  const std::string name_;
  const DrainOptions options_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<RemoteStore> remote_;

  // Whoever holds this mutex talks to the server and changes these: the thread for a batch, Open
  // and Close.
  std::mutex server_mutex_;
  std::vector<Followed> followed_;
  int64_t batch_ = 0;     // units of a batch now
  int64_t failures_ = 0;  // of the same batch, one after another

  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  bool stop_ = false, notified_ = false, is_idle_ = true, ended_ = false;
  std::string fault_;
  std::thread thread_;
};

}  // namespace anabranch
