// A RemoteStore in RAM that fails on purpose: for tests of what the drain does about each failure.
// Real servers are tested in *_server_test.cc.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "memory/remote_store.h"

namespace anabranch {

// What is at the "server": it outlives its connections. Threads: any, under its mutex.
struct ScriptedServer {
  std::mutex mutex;
  bool keeps_journal = false;
  std::map<uint64_t, RemoteUnit> units;
  std::map<int64_t, StoredRecord> records;  // by begin
  std::vector<size_t> upserts;              // sizes of the batches that were taken
  // What an upsert fails with; nullopt: it is taken. The units of a failing one are not written,
  // unless `writes_before_failing`: the answer was lost.
  std::function<std::optional<Error>(std::span<const RemoteUnit>)> fails;
  bool writes_before_failing = false;
  bool away = false;  // every call fails with kUnavailable
  std::chrono::milliseconds retry_after{0};
  int calls = 0;
};

class ScriptedRemote : public RemoteStore {
 public:
  explicit ScriptedRemote(ScriptedServer* server) : server_(*server) {}

  bool keeps_journal() const override { return server_.keeps_journal; }
  Result<void> OpenStream(const RemoteStreamInfo&) override { return Called(); }
  Result<std::vector<RemoteStreamInfo>> Streams() override {
    RETURN_IF_ERROR(Called());
    return std::vector<RemoteStreamInfo>{};
  }
  Result<void> DropUnits(const RemoteStreamInfo&) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    server_.units.clear();
    return {};
  }
  Result<void> DropStream(const std::string&) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    server_.units.clear();
    server_.records.clear();
    return {};
  }
  Result<void> Upsert(const std::string&, std::span<const RemoteUnit> units) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    const std::optional<Error> error = server_.fails ? server_.fails(units) : std::nullopt;
    if (!error || server_.writes_before_failing) {
      for (const RemoteUnit& unit : units) server_.units[unit.id.value()] = unit;
    }
    if (error) return tl::make_unexpected(*error);
    server_.upserts.push_back(units.size());
    return {};
  }
  Result<void> Erase(const std::string&, std::span<const UnitId> ids) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    for (const UnitId id : ids) server_.units.erase(id.value());
    return {};
  }
  Result<std::vector<RemoteHit>> Nearest(const std::string&, std::span<const float> query, size_t k,
                                         const UnitFilter& filter, Deadline) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    std::vector<RemoteHit> hits;
    for (const auto& [id, unit] : server_.units) {
      if (unit.question != filter.questions || unit.span.end > filter.before) continue;
      hits.push_back(
          {unit.id, std::inner_product(query.begin(), query.end(), unit.vector.begin(), 0.0f)});
    }
    std::sort(hits.begin(), hits.end(),
              [](const RemoteHit& a, const RemoteHit& b) { return a.cosine > b.cosine; });
    hits.resize(std::min(k, hits.size()));
    return hits;
  }
  Result<std::vector<RemoteVector>> Vectors(const std::string&, std::span<const UnitId> ids,
                                            Deadline) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    std::vector<RemoteVector> vectors;
    for (const UnitId id : ids) {
      const auto unit = server_.units.find(id.value());
      if (unit != server_.units.end()) vectors.push_back({id, unit->second.vector});
    }
    return vectors;
  }
  Result<std::vector<UnitId>> Ids(const std::string&) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    std::vector<UnitId> ids;
    for (const auto& [id, unit] : server_.units) ids.push_back(UnitId(id));
    return ids;
  }
  std::chrono::milliseconds retry_after() const override { return server_.retry_after; }
  Result<void> ReplaceRecords(const std::string&, StreamSpan span,
                              std::span<const StoredRecord> records) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    std::erase_if(server_.records, [&](const auto& entry) {
      return entry.second.record.begin < span.end && entry.second.end > span.begin;
    });
    for (const StoredRecord& record : records) {
      server_.records[record.record.begin.value()] = record;
    }
    return {};
  }
  Result<void> Records(const std::string&, StreamPos from,
                       const std::function<Result<void>(StoredRecord)>& visit) override {
    RETURN_IF_ERROR(Called());
    const std::lock_guard lock(server_.mutex);
    for (auto at = server_.records.lower_bound(from.value()); at != server_.records.end(); ++at) {
      RETURN_IF_ERROR(visit(at->second));
    }
    return {};
  }
  Result<void> Lock(const std::string&) override { return Called(); }

 private:
  Result<void> Called() {
    const std::lock_guard lock(server_.mutex);
    ++server_.calls;
    if (!server_.away) return {};
    return Fail(ErrorKind::kUnavailable, "the server", "is away");
  }

  ScriptedServer& server_;
};

}  // namespace anabranch
