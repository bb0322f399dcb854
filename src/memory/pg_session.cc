#include "memory/pg_session.h"

#include <fmt/format.h>

#include <limits>

#include "memory/pg_text.h"
#include "memory/stream_info.h"

namespace anabranch {
namespace {

using Single = pqxx::nontransaction;

// pgvector as this database has it.
struct Extension {
  std::string schema;
  uint32_t vector_type = 0;
};

Result<Extension> FindExtension(pqxx::transaction_base* db, const std::string& store) {
  const pqxx::row server = db->exec1(
      "SELECT current_setting('server_encoding'), current_setting('server_version_num')::int / "
      "10000, EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'vector')");
  if (server[0].c_str() != std::string("UTF8")) {
    return Fail(ErrorKind::kUnsupported, store,
                std::string("the database's encoding is ") + server[0].c_str(),
                "make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0");
  }
  const pqxx::result rows = db->exec(
      "SELECT nspname, extversion, pg_type.oid FROM pg_catalog.pg_extension JOIN "
      "pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace JOIN pg_catalog.pg_type ON "
      "typnamespace = extnamespace AND typname = 'vector' WHERE extname = 'vector'");
  if (rows.empty()) {
    const bool installed = server[2].as<bool>();
    return Fail(ErrorKind::kUnsupported, store,
                installed ? "the extension pgvector is not in this database"
                          : "the server has no extension pgvector",
                installed ? "let an administrator run CREATE EXTENSION vector in it"
                          : fmt::format("install it on the server (Debian: postgresql-{}-pgvector) "
                                        "and run CREATE EXTENSION vector in the database",
                                        server[1].as<int>()));
  }
  const std::string version = rows[0][1].c_str();
  if (version.starts_with("0.") && std::atoi(version.c_str() + 2) < 5) {
    return Fail(ErrorKind::kUnsupported, store, "its pgvector is version " + version,
                "install 0.5 or later and run ALTER EXTENSION vector UPDATE");
  }
  return Extension{rows[0][0].c_str(), rows[0][2].as<uint32_t>()};
}

void Set(pqxx::transaction_base* db, const std::string& setting, const std::string& value) {
  db->exec_params("SELECT set_config($1, $2, false)", setting, value);
}

std::string Difference(const RemoteStreamInfo& there, const RemoteStreamInfo& ours) {
  if (there.embedder != ours.embedder || there.width != ours.width) {
    return fmt::format("its vectors are of embedder {} ({} wide), this program's of {} ({} wide)",
                       there.embedder, there.width, ours.embedder, ours.width);
  }
  if (!Continues(there.tokenizer, ours.tokenizer)) {
    return fmt::format("its tokens are of tokenizer {}, this program's of {}", there.tokenizer,
                       ours.tokenizer);
  }
  if (there.cutter != ours.cutter) {
    return fmt::format("its units are of cutter version {}, this program's of {}", there.cutter,
                       ours.cutter);
  }
  return "";
}

}  // namespace

Result<void> PgSession::Ready(Deadline deadline) {
  if (connection_ != nullptr && connection_->alive()) return {};
  streams_.clear();
  unlooked_.clear();
  ASSIGN_OR_RETURN(connection_, PgConnection::Open(&location_, deadline));
  const Result<void> set_up = SetUp(deadline);
  if (!set_up) connection_.reset();
  return set_up;
}

Result<void> PgSession::SetUp(Deadline deadline) {
  return connection_->Run<Single>(deadline, [&](Single& db) -> Result<void> {
    ASSIGN_OR_RETURN(const Extension extension, FindExtension(&db, name()));
    vector_type_ = extension.vector_type;
    db.exec_params("SELECT set_config('search_path', 'pg_catalog, ' || quote_ident($1), false)",
                   extension.schema);
    for (const auto& [setting, value] : PgSearchSettings()) Set(&db, setting, value);
    // The server ends what nobody waits for any more, and the session of a machine that is gone.
    Set(&db, "statement_timeout", std::to_string(location_.timeout.count()));
    Set(&db, "tcp_keepalives_idle", "30");
    Set(&db, "tcp_keepalives_interval", "10");
    Set(&db, "tcp_keepalives_count", "3");
    const PgBackend previous = std::exchange(backend_, ThisPgBackend(&db));
    for (const std::string& stream : locks_) {
      Result<void> taken = TakePgLock(&db, name(), stream, previous);
      if (!taken) {
        backend_ = previous;
        return taken;
      }
    }
    return {};
  });
}

Result<PgStream> PgSession::Stream(const std::string& stream, Deadline deadline) {
  RETURN_IF_ERROR(Ready(deadline));
  if (const auto known = streams_.find(stream); known != streams_.end()) return known->second;
  return Run<Single>(deadline, [&](Single& db) -> Result<PgStream> {
    ASSIGN_OR_RETURN(const int version, PgSchemaVersion(&db, name()));
    std::optional<PgStream> found;
    if (version == kPgSchemaVersion) found = FindPgStream(&db, stream);
    if (!found) {
      return Fail(ErrorKind::kNotFound, "stream '" + stream + "' of " + name(), "is not there");
    }
    return streams_[stream] = *std::move(found);
  });
}

Result<void> PgSession::OpenStream(const RemoteStreamInfo& info) {
  const std::string what = "stream '" + info.name + "' of " + name();
  if (info.width < 1 || info.width > kPgMaxWidth) {
    return Fail(ErrorKind::kInvalid, what,
                fmt::format("vectors {} wide cannot be stored", info.width));
  }
  if (PgText(info.tokenizer) != info.tokenizer || PgText(info.embedder) != info.embedder) {
    return Fail(ErrorKind::kInvalid, what, "a fingerprint is no text");
  }
  streams_.erase(info.name);
  return Run<pqxx::work>(SoonEnough(), [&](pqxx::work& db) -> Result<void> {
    RETURN_IF_ERROR(UpgradePgSchema(&db, name()));  // its lock holds for the stream as well
    std::optional<PgStream> stream = FindPgStream(&db, info.name);
    if (!stream) stream = CreatePgStream(&db, info);
    const std::string difference = Difference(stream->info, info);
    if (difference.empty()) {
      if (stream->info.tokenizer != info.tokenizer) UpdatePgStream(&db, *stream, info);
      return {};
    }
    return Fail(ErrorKind::kInvalid, what, difference,
                "use the other one, another stream name, or memory reindex");
  });
}

Result<std::vector<RemoteStreamInfo>> PgSession::Streams() {
  using Infos = std::vector<RemoteStreamInfo>;
  return Run<Single>(SoonEnough(), [&](Single& db) -> Result<Infos> {
    ASSIGN_OR_RETURN(const int version, PgSchemaVersion(&db, name()));
    Infos infos;
    if (version < kPgSchemaVersion) return infos;
    for (PgStream& stream : PgStreams(&db)) infos.push_back(std::move(stream.info));
    return infos;
  });
}

Result<void> PgSession::DropUnits(const RemoteStreamInfo& info) {
  const Deadline deadline = SoonEnough();
  const Result<PgStream> found = Stream(info.name, deadline);
  if (!found && found.error().kind == ErrorKind::kNotFound) return {};
  RETURN_IF_ERROR(found);
  if (!Continues(found->info.tokenizer, info.tokenizer)) {
    return Fail(ErrorKind::kInvalid, "stream '" + info.name + "' of " + name(),
                Difference(found->info, info), "use another stream name");
  }
  streams_.erase(info.name);
  return Run<pqxx::work>(deadline, [&](pqxx::work& db) -> Result<void> {
    EndPgHolders(&db, PgIndexLockKey(*found));
    db.exec_params("SELECT pg_advisory_xact_lock($1)", PgSchemaLockKey());
    DropPgUnits(&db, *found);
    UpdatePgStream(&db, *found, info);
    CreatePgUnits(&db, {found->id, info});
    return {};
  });
}

Result<void> PgSession::DropStream(const std::string& stream) {
  const Deadline deadline = SoonEnough();
  const Result<PgStream> found = Stream(stream, deadline);
  if (!found && found.error().kind == ErrorKind::kNotFound) return {};
  RETURN_IF_ERROR(found);
  streams_.erase(stream);
  return Run<pqxx::work>(deadline, [&](pqxx::work& db) -> Result<void> {
    EndPgHolders(&db, PgIndexLockKey(*found));
    db.exec_params("SELECT pg_advisory_xact_lock($1)", PgSchemaLockKey());
    DropPgStream(&db, *found);
    return {};
  });
}

Result<void> PgSession::Lock(const std::string& stream) {
  const Deadline deadline = SoonEnough();
  RETURN_IF_ERROR(Ready(deadline));
  if (locks_.contains(stream)) return {};
  RETURN_IF_ERROR(Run<Single>(
      deadline, [&](Single& db) { return TakePgLock(&db, name(), stream, PgBackend()); }));
  locks_.insert(stream);
  return {};
}

void PgSession::Grow(const std::string& name, size_t written, Deadline deadline) {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  constexpr int64_t kAgain = 1000;  // while somebody builds it
  const auto known = streams_.find(name);
  if (known == streams_.end()) return;
  const PgStream stream = known->second;
  int64_t& unlooked = unlooked_[stream.id];
  if (unlooked == kNever || (unlooked -= static_cast<int64_t>(written)) > 0) return;
  const Result<PgIndexState> state = Run<Single>(
      deadline, [&](Single& db) -> Result<PgIndexState> { return LookAtPgIndex(&db, stream); });
  if (!state) return;  // at the next write
  const bool done = state->built || stream.info.width > kPgMaxIndexedWidth;
  unlooked = done ? kNever : std::max(kPgIndexFrom - state->units, kAgain);
  if (builder_ != nullptr && builder_->Done()) builder_.reset();
  if (done || state->units < kPgIndexFrom || builder_ != nullptr) return;
  if (!Build(stream, deadline)) builder_.reset();
}

Result<void> PgSession::Build(const PgStream& stream, Deadline deadline) {
  ASSIGN_OR_RETURN(builder_, PgConnection::Open(&location_, deadline));
  ASSIGN_OR_RETURN(
      const bool ours, builder_->Run<Single>(deadline, [&](Single& db) -> Result<bool> {
        ASSIGN_OR_RETURN(const Extension extension, FindExtension(&db, name()));
        db.exec_params("SELECT set_config('search_path', 'pg_catalog, ' || quote_ident($1), false)",
                       extension.schema);
        return PreparePgIndex(&db, stream);
      }));
  if (ours) {
    builder_->Send(PgIndexStatement(stream));
  } else {
    builder_.reset();
  }
  return {};
}

}  // namespace anabranch
