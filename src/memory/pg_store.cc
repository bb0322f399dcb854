// PostgreSQL with pgvector as a RemoteStore. docs/stores.md describes the tables.
#include "memory/pg_journal.h"
#include "memory/pg_session.h"
#include "memory/pg_units.h"
#include "memory/remote_store.h"

namespace anabranch {
namespace {

using Single = pqxx::nontransaction;

class PostgresStore final : public RemoteStore {
 public:
  explicit PostgresStore(PgLocation location) : session_(std::move(location)) {}

  bool keeps_journal() const override { return true; }
  Result<void> OpenStream(const RemoteStreamInfo& stream) override {
    return session_.OpenStream(stream);
  }
  Result<std::vector<RemoteStreamInfo>> Streams() override { return session_.Streams(); }
  Result<void> DropUnits(const RemoteStreamInfo& stream) override {
    return session_.DropUnits(stream);
  }
  Result<void> DropStream(const std::string& stream) override {
    return session_.DropStream(stream);
  }
  Result<void> Lock(const std::string& stream) override { return session_.Lock(stream); }
  std::chrono::milliseconds retry_after() const override { return {}; }

  Result<void> Upsert(const std::string& name, std::span<const RemoteUnit> units) override {
    if (units.empty()) return {};
    const Deadline deadline = session_.SoonEnough();
    RETURN_IF_ERROR(session_.RunOn<Single>(name, deadline, [&](Single& db, const PgStream& stream) {
      return UpsertPgUnits(&db, stream, session_.vector_type(), units);
    }));
    session_.Grow(name, units.size(), deadline);
    return {};
  }

  Result<void> Erase(const std::string& name, std::span<const UnitId> ids) override {
    if (ids.empty()) return {};
    return session_.RunOn<Single>(name, session_.SoonEnough(),
                                  [&](Single& db, const PgStream& stream) -> Result<void> {
                                    ErasePgUnits(&db, stream, ids);
                                    return {};
                                  });
  }

  Result<std::vector<RemoteHit>> Nearest(const std::string& name, std::span<const float> query,
                                         size_t k, const UnitFilter& filter,
                                         Deadline deadline) override {
    using Hits = std::vector<RemoteHit>;
    if (k == 0) return Hits();
    return session_.RunOn<Single>(
        name, deadline, [&](Single& db, const PgStream& stream) -> Result<Hits> {
          if (query.size() == static_cast<size_t>(stream.info.width)) {
            return NearestPgUnits(&db, stream, query, k, filter);
          }
          return Fail(ErrorKind::kInvalid, "stream '" + name + "' of " + session_.name(),
                      "its vectors are " + std::to_string(stream.info.width) +
                          " wide, the question's " + std::to_string(query.size()));
        });
  }

  Result<std::vector<RemoteVector>> Vectors(const std::string& name, std::span<const UnitId> ids,
                                            Deadline deadline) override {
    if (ids.empty()) return std::vector<RemoteVector>();
    return session_.RunOn<Single>(name, deadline, [&](Single& db, const PgStream& stream) {
      return PgUnitVectors(&db, stream, ids);
    });
  }

  Result<std::vector<UnitId>> Ids(const std::string& name) override {
    return session_.RunOn<Single>(
        name, session_.SoonEnough(),
        [&](Single& db, const PgStream& stream) -> Result<std::vector<UnitId>> {
          return PgUnitIds(&db, stream);
        });
  }

  Result<void> ReplaceRecords(const std::string& name, StreamSpan span,
                              std::span<const StoredRecord> records) override {
    return session_.RunOn<pqxx::work>(name, session_.SoonEnough(),
                                      [&](pqxx::work& db, const PgStream& stream) {
                                        return ReplacePgRecords(&db, stream, span, records);
                                      });
  }

  Result<void> Records(const std::string& name, StreamPos from,
                       const std::function<Result<void>(StoredRecord)>& visit) override {
    constexpr int kPage = 256;  // records in memory at once
    for (StreamPos last(-1);;) {
      ASSIGN_OR_RETURN(std::vector<StoredRecord> page,
                       session_.RunOn<Single>(name, session_.SoonEnough(),
                                              [&](Single& db, const PgStream& stream) {
                                                return PgRecords(&db, stream, from, last, kPage);
                                              }));
      if (page.empty()) return {};
      last = page.back().record.begin;
      for (StoredRecord& record : page) RETURN_IF_ERROR(visit(std::move(record)));
    }
  }

 private:
  PgSession session_;
};

}  // namespace

Result<std::unique_ptr<RemoteStore>> OpenPostgresStore(const std::string& location,
                                                       const RemoteOptions& options) {
  ASSIGN_OR_RETURN(PgLocation parsed, ParsePgLocation(location, options));
  return std::make_unique<PostgresStore>(std::move(parsed));
}

}  // namespace anabranch
