#include "memory/drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <unordered_set>

#include "memory/journal_store.h"
#include "memory/schema.h"
#include "memory/unit_store.h"

namespace anabranch {
namespace {

// A server that answers other calls, but not this batch, is damaged.
constexpr int64_t kDamagedAfter = 8;

using Milliseconds = std::chrono::milliseconds;
// A server may take a moment to see that a writer has ended.
constexpr Milliseconds kEndOfAWriter{1000};

// Between half of a pause and all of it: writers that failed together do not come back together.
Milliseconds WithJitter(Milliseconds pause) {
  static thread_local std::minstd_rand random(std::random_device{}());
  return Milliseconds(
      std::uniform_int_distribution<int64_t>(pause.count() / 2, pause.count())(random));
}

}  // namespace

Result<std::unique_ptr<Drain>> Drain::Start(const std::string& path, const std::string& name,
                                            std::unique_ptr<RemoteStore> remote,
                                            const DrainOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, OpenStore(path, path));
  return std::unique_ptr<Drain>(new Drain(name, std::move(db), std::move(remote), options));
}

Drain::Drain(std::string name, std::unique_ptr<Database> db, std::unique_ptr<RemoteStore> remote,
             const DrainOptions& options)
    : name_(std::move(name)),
      options_(options),
      db_(std::move(db)),
      remote_(std::move(remote)),
      batch_(options.batch_units),
      thread_([this] { Run(); }) {}

Drain::~Drain() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Result<void> Drain::Open(int64_t stream, const RemoteStreamInfo& info) {
  Result<void> opened;
  {
    const std::lock_guard server(server_mutex_);
    Followed followed = {stream, info, false};
    opened = OpenAtServer(&followed, Pulls::kYes);
    if (!opened && opened.error().kind != ErrorKind::kUnavailable) return opened;
    std::erase_if(followed_, [&](const Followed& other) { return other.stream == stream; });
    followed_.push_back(std::move(followed));
  }
  Notify();
  return opened;
}

void Drain::Notify() {
  {
    const std::lock_guard lock(mutex_);
    notified_ = true;
    is_idle_ = false;
  }
  wake_.notify_all();
}

bool Drain::Flush(Milliseconds patience) {
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, patience, [this] { return is_idle_ || ended_ || !fault_.empty(); });
  return is_idle_;
}

std::string Drain::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

void Drain::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    notified_ = false;
    lock.unlock();
    Result<bool> progress = false;
    std::optional<Milliseconds> pause;
    {
      const std::lock_guard server(server_mutex_);
      for (Followed& followed : followed_) {
        const Result<bool> step = Step(&followed);
        progress = step ? Result<bool>(*progress || *step) : step;
        if (!step) break;
      }
      if (!progress) pause = OnFailure(progress.error());
    }
    lock.lock();
    if (!progress) {
      idle_.notify_all();
      if (!pause) break;
      wake_.wait_for(lock, *pause, [this] { return stop_; });
      continue;
    }
    fault_.clear();
    if (*progress || notified_) continue;
    is_idle_ = true;
    idle_.notify_all();
    wake_.wait(lock, [this] { return stop_ || notified_; });
  }
  ended_ = true;
  idle_.notify_all();
}

Result<void> Drain::OpenAtServer(Followed* followed, Pulls pulls) {
  RETURN_IF_ERROR(DrainStore(db_.get(), followed->stream).Follow());
  RETURN_IF_ERROR(DropUnits(*followed));
  RETURN_IF_ERROR(remote_->OpenStream(followed->info));
  RETURN_IF_ERROR(Lock(followed->info.name));
  RETURN_IF_ERROR(remote_->keeps_journal() ? MeetJournal(*followed, pulls) : CheckUnits(*followed));
  followed->opened = true;
  return {};
}

// What the server has of a stream that was indexed anew goes first.
Result<void> Drain::DropUnits(const Followed& followed) {
  DrainStore store(db_.get(), followed.stream);
  ASSIGN_OR_RETURN(DrainedTo drained, store.Drained());
  if (drained.unit != DrainedTo::kDropFirst) return {};
  RETURN_IF_ERROR(Lock(followed.info.name));
  RETURN_IF_ERROR(remote_->DropUnits(followed.info));
  drained.unit = 0;
  return store.SetDrained(drained);
}

Result<void> Drain::Lock(const std::string& stream) {
  const auto end = std::chrono::steady_clock::now() + kEndOfAWriter;
  while (true) {
    const Result<void> locked = remote_->Lock(stream);
    const bool busy = !locked && locked.error().kind == ErrorKind::kBusy;
    if (!busy || std::chrono::steady_clock::now() > end) return locked;
    std::this_thread::sleep_for(kEndOfAWriter / 20);
  }
}

// A server's journal that goes on beyond what it was sent is either what we sent and heard no more
// of, or another machine's: that is brought here, if the stream is only being opened.
Result<void> Drain::MeetJournal(const Followed& followed, Pulls pulls) {
  DrainStore store(db_.get(), followed.stream);
  JournalStore journal(db_.get(), followed.stream);
  ASSIGN_OR_RETURN(const JournalEnd end, journal.End());
  ASSIGN_OR_RETURN(DrainedTo drained, store.Drained());
  std::vector<StoredRecord> theirs;
  RETURN_IF_ERROR(
      remote_->Records(followed.info.name, drained.pos, [&](StoredRecord record) -> Result<void> {
        const bool here = !end.empty && record.record.begin < end.end;
        ASSIGN_OR_RETURN(const bool same,
                         here ? journal.Has(record) : Result<bool>(pulls == Pulls::kYes));
        if (!same) return Foreign(followed, record.record.begin);
        if (!here) theirs.push_back(std::move(record));
        return {};
      }));
  if (theirs.empty()) return {};
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_.get()));
  for (const StoredRecord& record : theirs) RETURN_IF_ERROR(journal.InsertStored(record));
  drained.pos = theirs.back().end;
  RETURN_IF_ERROR(store.SetDrained(drained));
  return transaction.Commit();
}

// A server that keeps no journal has no units but those that this file has sent it.
Result<void> Drain::CheckUnits(const Followed& followed) {
  const DrainStore store(db_.get(), followed.stream);
  ASSIGN_OR_RETURN(const DrainedTo drained, store.Drained());
  if (drained != DrainedTo{}) return {};
  ASSIGN_OR_RETURN(const std::vector<UnitId> theirs, remote_->Ids(followed.info.name));
  if (theirs.empty()) return {};
  const UnitStore units(db_.get(), followed.stream, followed.info.name);
  ASSIGN_OR_RETURN(const std::vector<UnitRow> rows, units.Rows());
  std::unordered_set<UnitId> ours;
  for (const UnitRow& row : rows) ours.insert(units.IdOf(row));
  const bool all =
      std::all_of(theirs.begin(), theirs.end(), [&](const UnitId id) { return ours.contains(id); });
  return all ? Result<void>() : Foreign(followed, StreamPos(0));
}

Failure Drain::Foreign(const Followed& followed, StreamPos from) const {
  return Fail(ErrorKind::kInvalid, fmt::format("stream '{}' of {}", followed.info.name, name_),
              fmt::format("was written through another journal from position {} on", from.value()),
              "give that journal with --journal, or another stream name");
}

Result<bool> Drain::Step(Followed* followed) {
  if (!followed->opened) RETURN_IF_ERROR(OpenAtServer(followed, Pulls::kNo));
  ASSIGN_OR_RETURN(const DrainedTo drained, DrainStore(db_.get(), followed->stream).Drained());
  if (drained.unit == DrainedTo::kDropFirst) {
    return Fail(ErrorKind::kInvalid, fmt::format("stream '{}'", followed->info.name),
                "was indexed anew by another process", "open the memory again");
  }
  ASSIGN_OR_RETURN(bool progress, EraseNext(*followed));
  if (!progress && remote_->keeps_journal()) {
    ASSIGN_OR_RETURN(progress, SendRecords(*followed));
  }
  if (!progress) {
    ASSIGN_OR_RETURN(progress, SendUnits(*followed));
  }
  failures_ = 0;
  return progress;
}

Result<bool> Drain::EraseNext(const Followed& followed) {
  DrainStore store(db_.get(), followed.stream);
  ASSIGN_OR_RETURN(const std::optional<ErasedSpan> erased, store.NextErased());
  if (!erased) return false;
  RETURN_IF_ERROR(remote_->Erase(followed.info.name, erased->ids));
  ASSIGN_OR_RETURN(DrainedTo drained, store.Drained());
  StreamSpan span = {erased->span.begin, std::min(erased->span.end, drained.pos)};
  if (remote_->keeps_journal() && span.size() > 0) {
    std::vector<StoredRecord> records;
    RETURN_IF_ERROR(JournalStore(db_.get(), followed.stream)
                        .ForEach(span, [&](StoredRecord record) -> Result<void> {
                          // A gap may have grown over what the server does not have yet.
                          span.begin = std::min(span.begin, record.record.begin);
                          span.end = std::max(span.end, record.end);
                          records.push_back(std::move(record));
                          return {};
                        }));
    RETURN_IF_ERROR(remote_->ReplaceRecords(followed.info.name, span, records));
    drained.pos = std::max(drained.pos, span.end);
    RETURN_IF_ERROR(store.SetDrained(drained));
  }
  RETURN_IF_ERROR(store.DropErased(erased->seq));
  return true;
}

Result<bool> Drain::SendRecords(const Followed& followed) {
  DrainStore store(db_.get(), followed.stream);
  ASSIGN_OR_RETURN(DrainedTo drained, store.Drained());
  std::vector<StoredRecord> records;
  int64_t bytes = 0;
  // The walk ends by an error of this kind when the batch is full.
  constexpr ErrorKind kFull = ErrorKind::kInterrupted;
  const Result<void> walked =
      JournalStore(db_.get(), followed.stream)
          .ForEach(
              {drained.pos, StreamPos(kMaxCoordinate)}, [&](StoredRecord record) -> Result<void> {
                bytes += static_cast<int64_t>(record.record.bytes.size()) + record.end.value() -
                         record.record.begin.value();
                records.push_back(std::move(record));
                const bool full = static_cast<int64_t>(records.size()) >= options_.batch_records ||
                                  bytes >= options_.batch_bytes;
                return full ? Result<void>(Fail(kFull, "", "")) : Result<void>();
              });
  if (!walked && walked.error().kind != kFull) return tl::make_unexpected(walked.error());
  if (records.empty()) return false;
  const StreamSpan span = {records.front().record.begin, records.back().end};
  RETURN_IF_ERROR(remote_->ReplaceRecords(followed.info.name, span, records));
  drained.pos = span.end;
  RETURN_IF_ERROR(store.SetDrained(drained));
  return true;
}

Result<bool> Drain::SendUnits(const Followed& followed) {
  DrainStore store(db_.get(), followed.stream);
  ASSIGN_OR_RETURN(const DrainedTo drained, store.Drained());
  ASSIGN_OR_RETURN(std::vector<UnitToSend> units,
                   store.UnitsBehind(drained.unit, batch_, options_.batch_bytes));
  if (units.empty()) return false;
  const int64_t last = units.back().key;
  std::vector<RemoteUnit> batch;
  for (UnitToSend& unit : units) batch.push_back(std::move(unit.unit));
  const Result<void> sent = remote_->Upsert(followed.info.name, batch);
  if (sent) {
    RETURN_IF_ERROR(store.SetDrained({last, drained.pos}));
    batch_ = std::min(options_.batch_units, batch_ * 2);
    return true;
  }
  const ErrorKind kind = sent.error().kind;
  if (kind != ErrorKind::kInvalid && kind != ErrorKind::kLimit) {
    return tl::make_unexpected(sent.error());
  }
  if (units.size() > 1) {
    batch_ = static_cast<int64_t>(units.size()) / 2;
    return true;
  }
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_.get()));
  RETURN_IF_ERROR(store.Quarantine(last, sent.error().Message()));
  RETURN_IF_ERROR(store.SetDrained({last, drained.pos}));
  RETURN_IF_ERROR(transaction.Commit());
  return true;
}

std::optional<Milliseconds> Drain::OnFailure(const Error& error) {
  ++failures_;
  const bool again = error.kind != ErrorKind::kDenied && error.kind != ErrorKind::kInvalid &&
                     error.kind != ErrorKind::kCorrupt && error.kind != ErrorKind::kUnsupported;
  const Milliseconds asked = remote_->retry_after();
  std::string fault = error.Message();
  if (error.kind == ErrorKind::kUnavailable && failures_ >= kDamagedAfter && remote_->Streams()) {
    fault = fmt::format(
        "{}: the store is damaged: it refused the same write {} times ({}); memory "
        "reindex builds it again",
        name_, failures_, error.fault);
  }
  for (Followed& followed : followed_) followed.opened = false;
  {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  if (!again) return std::nullopt;
  const Milliseconds pause =
      std::min(options_.longest_pause,
               options_.first_pause * (int64_t{1} << std::min<int64_t>(failures_ - 1, 20)));
  return asked.count() > 0 ? asked : WithJitter(pause);
}

}  // namespace anabranch
