// RemoteStore on a Chroma server: one collection per stream, an index without a journal.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "memory/chroma_collection.h"
#include "memory/chroma_http.h"
#include "memory/chroma_json.h"
#include "memory/chroma_location.h"
#include "memory/chroma_records.h"
#include "memory/remote_store.h"

namespace anabranch {
namespace {

using nlohmann::json;

constexpr size_t kMaxUpsertRecords = 256;
constexpr size_t kMaxUpsertBytes = size_t{4} << 20;
// Sizes of one answer, all far below ChromaConnection::kMaxReplyBytes.
constexpr size_t kIdsPerPage = 10000;
constexpr size_t kCollectionsPerPage = 200;
constexpr size_t kVectorsPerCall = 128;
constexpr size_t kErasedPerCall = 1000;
constexpr size_t kMaxResults = 4096;

class ChromaStore final : public RemoteStore {
 public:
  ChromaStore(ChromaHttp http, const ChromaLocation& location, std::chrono::milliseconds timeout)
      : http_(std::move(http)),
        read_(http_.name()),
        tenant_(location.tenant),
        database_(location.database),
        timeout_(timeout) {}

  bool keeps_journal() const override { return false; }
  Result<void> OpenStream(const RemoteStreamInfo& stream) override;
  Result<std::vector<RemoteStreamInfo>> Streams() override;
  Result<void> DropUnits(const RemoteStreamInfo& stream) override {
    return DropStream(stream.name);
  }
  Result<void> DropStream(const std::string& stream) override;
  Result<void> Upsert(const std::string& stream, std::span<const RemoteUnit> units) override;
  Result<void> Erase(const std::string& stream, std::span<const UnitId> ids) override;
  Result<std::vector<RemoteHit>> Nearest(const std::string& stream, std::span<const float> query,
                                         size_t k, const UnitFilter& filter,
                                         Deadline deadline) override;
  Result<std::vector<RemoteVector>> Vectors(const std::string& stream, std::span<const UnitId> ids,
                                            Deadline deadline) override;
  Result<std::vector<UnitId>> Ids(const std::string& stream) override;
  std::chrono::milliseconds retry_after() const override { return http_.retry_after(); }
  Result<void> ReplaceRecords(const std::string&, StreamSpan,
                              std::span<const StoredRecord>) override;
  Result<void> Records(const std::string&, StreamPos,
                       const std::function<Result<void>(StoredRecord)>&) override;
  Result<void> Lock(const std::string&) override { return {}; }

 private:
  Deadline Soon() const { return std::chrono::steady_clock::now() + timeout_; }
  std::string DatabasePath() const { return "/tenants/" + tenant_ + "/databases/" + database_; }
  std::string CollectionsPath() const { return DatabasePath() + "/collections"; }
  const ChromaCollection& Opened(const std::string& stream) const;
  Result<void> EnsureDatabase();
  Result<std::optional<ChromaCollection>> Find(const RemoteStreamInfo& stream, Deadline deadline);
  Result<json> CallRecords(const std::string& stream, const char* verb, const std::string& body,
                           Deadline deadline);
  Result<void> UpsertBatch(const std::string& stream, std::span<const RemoteUnit> units);
  Failure Gone(const std::string& stream) const;

  ChromaHttp http_;
  JsonReader read_;
  const std::string tenant_, database_;
  const std::chrono::milliseconds timeout_;
  size_t max_body_bytes_ = kMaxUpsertBytes;
  std::map<std::string, ChromaCollection> opened_;  // by stream
};

const ChromaCollection& ChromaStore::Opened(const std::string& stream) const {
  const auto found = opened_.find(stream);
  ANABRANCH_CHECK(found != opened_.end());
  return found->second;
}

Failure ChromaStore::Gone(const std::string& stream) const {
  return Fail(ErrorKind::kCorrupt, http_.name(),
              "the collection " + CollectionName(stream) + " is gone",
              "memory reindex builds it again");
}

// A tenant or database that is missing is made, if the server lets us.
Result<void> ChromaStore::EnsureDatabase() {
  const auto there = http_.Call("GET", DatabasePath(), nullptr, Soon());
  if (there) return {};
  if (there.error().kind != ErrorKind::kNotFound) return Failure(there.error());
  // The tenant may be there, and another program may be first with either.
  const auto accept = [](const Result<json>& made) {
    return made || made.error().kind == ErrorKind::kInvalid;
  };
  auto made = http_.Call("POST", "/tenants", {{"name", tenant_}}, Soon());
  if (accept(made)) {
    made = http_.Call("POST", "/tenants/" + tenant_ + "/databases", {{"name", database_}}, Soon());
  }
  if (accept(made) && http_.Call("GET", DatabasePath(), nullptr, Soon())) return {};
  if (!made && made.error().kind != ErrorKind::kNotFound) return Failure(made.error());
  return read_.Wrong(fmt::format("it has no database {}/{}, and makes none", tenant_, database_));
}

// nullopt: there is none. Checked against `stream`.
Result<std::optional<ChromaCollection>> ChromaStore::Find(const RemoteStreamInfo& stream,
                                                          Deadline deadline) {
  const std::string name = CollectionName(stream.name);
  const auto answer = http_.Call("GET", CollectionsPath() + "/" + name, nullptr, deadline);
  if (!answer) {
    if (answer.error().kind == ErrorKind::kNotFound) return std::nullopt;
    return Failure(answer.error());
  }
  ASSIGN_OR_RETURN(auto collection, ReadCollection(*answer, read_));
  if (!collection) return read_.Wrong("the collection " + name + " is not of anabranch's making");
  RETURN_IF_ERROR(CheckCollection(*collection, stream, http_.name()));
  return collection;
}

Result<void> ChromaStore::OpenStream(const RemoteStreamInfo& stream) {
  RETURN_IF_ERROR(EnsureDatabase());
  ASSIGN_OR_RETURN(auto collection, Find(stream, Soon()));
  if (!collection) {
    const auto made = http_.Call("POST", CollectionsPath(), CreateCollectionBody(stream), Soon());
    if (!made) {
      if (made.error().kind == ErrorKind::kNotFound) return Gone(stream.name);
      return Failure(made.error());
    }
    ASSIGN_OR_RETURN(collection, Find(stream, Soon()));
    if (!collection) return Gone(stream.name);
  }
  opened_.insert_or_assign(stream.name, std::move(*collection));
  return {};
}

Result<std::vector<RemoteStreamInfo>> ChromaStore::Streams() {
  std::vector<RemoteStreamInfo> streams;
  for (size_t offset = 0;; offset += kCollectionsPerPage) {
    const auto page = http_.Call(
        "GET", fmt::format("{}?limit={}&offset={}", CollectionsPath(), kCollectionsPerPage, offset),
        nullptr, Soon());
    if (!page && page.error().kind == ErrorKind::kNotFound) return streams;  // no such database
    if (!page) return Failure(page.error());
    if (!page->is_array()) return read_.Wrong("no list of collections");
    for (const json& answer : *page) {
      ASSIGN_OR_RETURN(auto collection, ReadCollection(answer, read_));
      if (collection) streams.push_back(std::move(collection->stream));
    }
    if (page->size() < kCollectionsPerPage) return streams;
  }
}

Result<void> ChromaStore::DropStream(const std::string& stream) {
  const auto dropped =
      http_.Call("DELETE", CollectionsPath() + "/" + CollectionName(stream), nullptr, Soon());
  if (!dropped && dropped.error().kind != ErrorKind::kNotFound) return Failure(dropped.error());
  opened_.erase(stream);
  return {};
}

Result<json> ChromaStore::CallRecords(const std::string& stream, const char* verb,
                                      const std::string& body, Deadline deadline) {
  const auto call = [&](const std::string& id) {
    return http_.CallText("POST", fmt::format("{}/{}/{}", CollectionsPath(), id, verb), body,
                          deadline);
  };
  const ChromaCollection before = Opened(stream);
  auto answer = call(before.id);
  if (answer || answer.error().kind != ErrorKind::kNotFound) return answer;
  // Another program may have built it again meanwhile: the same name, another id.
  ASSIGN_OR_RETURN(auto now, Find(before.stream, deadline));
  if (!now || now->id == before.id) return Gone(stream);
  opened_.insert_or_assign(stream, *now);
  answer = call(now->id);
  if (!answer && answer.error().kind == ErrorKind::kNotFound) return Gone(stream);
  return answer;
}

Result<void> ChromaStore::Upsert(const std::string& stream, std::span<const RemoteUnit> units) {
  const auto width = static_cast<size_t>(Opened(stream).stream.width);
  for (const RemoteUnit& unit : units) ANABRANCH_CHECK(unit.vector.size() == width);
  for (size_t n = 0; !units.empty(); units = units.subspan(n)) {
    n = std::min(units.size(), kMaxUpsertRecords);
    RETURN_IF_ERROR(UpsertBatch(stream, units.first(n)));
  }
  return {};
}

// Halves what is too long: by our own measure, or by the server's, which is learnt.
Result<void> ChromaStore::UpsertBatch(const std::string& stream,
                                      std::span<const RemoteUnit> units) {
  const std::string body = UpsertBody(units);
  if (body.size() <= max_body_bytes_ || units.size() == 1) {
    const auto written = CallRecords(stream, "upsert", body, Soon());
    if (written) return {};
    if (written.error().kind != ErrorKind::kLimit || units.size() == 1) {
      return Failure(written.error());
    }
    max_body_bytes_ = body.size() / 2;
  }
  const size_t half = units.size() / 2;
  RETURN_IF_ERROR(UpsertBatch(stream, units.first(half)));
  return UpsertBatch(stream, units.subspan(half));
}

Result<void> ChromaStore::Erase(const std::string& stream, std::span<const UnitId> ids) {
  for (; !ids.empty(); ids = ids.subspan(std::min(ids.size(), kErasedPerCall))) {
    const json body = {{"ids", RecordIds(ids.first(std::min(ids.size(), kErasedPerCall)))}};
    RETURN_IF_ERROR(CallRecords(stream, "delete", JsonText(body), Soon()));
  }
  return {};
}

// Chroma looks for all that passes a filter before it searches: 0.1 s at 30,000 records. As most
// units pass, the best of all are asked for first, and filtered here.
Result<std::vector<RemoteHit>> ChromaStore::Nearest(const std::string& stream,
                                                    std::span<const float> query, size_t k,
                                                    const UnitFilter& filter, Deadline deadline) {
  if (k == 0) return std::vector<RemoteHit>();
  std::vector<RemoteHit> hits;
  size_t n_found = 0;
  const auto ask = [&](size_t n, bool filtered) -> Result<void> {
    const json body = QueryBody(query, n, filtered ? &filter : nullptr);
    ASSIGN_OR_RETURN(const json answer, CallRecords(stream, "query", JsonText(body), deadline));
    ASSIGN_OR_RETURN(hits, ReadHits(answer, filtered ? nullptr : &filter, read_, &n_found));
    if (hits.size() > k) hits.resize(k);
    return {};
  };
  size_t n = k + k / 2 + 32;
  RETURN_IF_ERROR(ask(n, false));
  if (hits.size() == k) return hits;
  RETURN_IF_ERROR(ask(n, true));
  if (hits.size() == k) return hits;
  // Its graph may lose units: more of it is searched for those that are known to be there.
  const json body = {{"where", WhereFilter(filter)}, {"limit", k}, {"include", json::array()}};
  ASSIGN_OR_RETURN(const json answer, CallRecords(stream, "get", JsonText(body), deadline));
  ASSIGN_OR_RETURN(const std::vector<UnitId> there, ReadIds(answer, read_));
  while (hits.size() < std::min(there.size(), k) && n < kMaxResults) {
    n = std::min(4 * n, kMaxResults);
    RETURN_IF_ERROR(ask(n, true));
  }
  return hits;
}

Result<std::vector<RemoteVector>> ChromaStore::Vectors(const std::string& stream,
                                                       std::span<const UnitId> ids,
                                                       Deadline deadline) {
  const int32_t width = Opened(stream).stream.width;
  std::vector<RemoteVector> vectors;
  for (; !ids.empty(); ids = ids.subspan(std::min(ids.size(), kVectorsPerCall))) {
    const auto some = ids.first(std::min(ids.size(), kVectorsPerCall));
    const json body = {{"ids", RecordIds(some)}, {"include", {"embeddings"}}};
    ASSIGN_OR_RETURN(const json answer, CallRecords(stream, "get", JsonText(body), deadline));
    ASSIGN_OR_RETURN(std::vector<RemoteVector> found, ReadVectors(answer, width, read_));
    for (RemoteVector& vector : found) {
      if (std::find(some.begin(), some.end(), vector.id) == some.end()) {
        return read_.Wrong("a vector that was not asked for");
      }
      vectors.push_back(std::move(vector));
    }
  }
  return vectors;
}

Result<std::vector<UnitId>> ChromaStore::Ids(const std::string& stream) {
  std::vector<UnitId> ids;
  for (size_t offset = 0;; offset += kIdsPerPage) {
    const json body = {{"include", json::array()}, {"limit", kIdsPerPage}, {"offset", offset}};
    ASSIGN_OR_RETURN(const json answer, CallRecords(stream, "get", JsonText(body), Soon()));
    ASSIGN_OR_RETURN(const std::vector<UnitId> page, ReadIds(answer, read_));
    if (!page.empty() && offset > 0 && page.front() == ids[offset - kIdsPerPage]) {
      return read_.Wrong("the same page of ids again");
    }
    ids.insert(ids.end(), page.begin(), page.end());
    if (page.size() != kIdsPerPage) break;
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// Whoever calls these did not look at keeps_journal().
Result<void> ChromaStore::ReplaceRecords(const std::string&, StreamSpan,
                                         std::span<const StoredRecord>) {
  ANABRANCH_CHECK(keeps_journal());
  return {};
}

Result<void> ChromaStore::Records(const std::string&, StreamPos,
                                  const std::function<Result<void>(StoredRecord)>&) {
  ANABRANCH_CHECK(keeps_journal());
  return {};
}

}  // namespace

Result<std::unique_ptr<RemoteStore>> OpenChromaStore(const std::string& location,
                                                     const RemoteOptions& options) {
  ASSIGN_OR_RETURN(const ChromaLocation at, ParseChromaLocation(location));
  ASSIGN_OR_RETURN(ChromaHttp http, ChromaHttp::Make(at, options));
  return std::make_unique<ChromaStore>(std::move(http), at, options.timeout);
}

}  // namespace anabranch
