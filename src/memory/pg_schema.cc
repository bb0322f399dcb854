#include "memory/pg_schema.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>

#include "memory/pg_array.h"
#include "memory/pg_text.h"

namespace anabranch {
namespace {

// Step i makes version i + 1 of version i.
// A name may be longer than an index entry: streams are found by its hash. Partitions differ in the
// width of their vectors, so the parent does not say it. MAIN keeps vectors beside their rows,
// where a scan reads them. Of a huge text the first part is found by words (a tsvector holds 1 MB).
constexpr auto kSteps = std::to_array<const char*>({R"(
CREATE TABLE anabranch.meta (key text PRIMARY KEY, value text NOT NULL);

CREATE TABLE anabranch.stream (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name bytea NOT NULL,
  label text NOT NULL,
  tokenizer text NOT NULL,
  embedder text NOT NULL,
  width integer NOT NULL CHECK (width > 0),
  cutter integer NOT NULL
);
CREATE UNIQUE INDEX stream_name ON anabranch.stream (sha256(name));

CREATE TABLE anabranch.record (
  stream_id bigint NOT NULL REFERENCES anabranch.stream ON DELETE CASCADE,
  span_begin bigint NOT NULL,
  span_end bigint NOT NULL,
  turn bigint NOT NULL,
  role smallint NOT NULL,
  kind smallint NOT NULL,
  text_begin bigint NOT NULL,
  time_ms bigint NOT NULL,
  ids bytea NOT NULL,
  token_ends bytea NOT NULL,
  bytes bytea NOT NULL,
  source_cursor bytea NOT NULL,
  PRIMARY KEY (stream_id, span_begin)
);

CREATE TABLE anabranch.unit (
  stream_id bigint NOT NULL,
  id bigint NOT NULL,
  text_begin bigint NOT NULL,
  text_end bigint NOT NULL,
  span_begin bigint NOT NULL,
  span_end bigint NOT NULL,
  turn bigint NOT NULL,
  role smallint NOT NULL,
  question boolean NOT NULL,
  time_ms bigint NOT NULL,
  bytes bytea NOT NULL,
  text text NOT NULL,
  words tsvector GENERATED ALWAYS AS (to_tsvector('simple', left(text, 100000))) STORED,
  embedding vector NOT NULL,
  PRIMARY KEY (stream_id, id)
) PARTITION BY LIST (stream_id);
ALTER TABLE anabranch.unit ALTER COLUMN embedding SET STORAGE MAIN;
CREATE INDEX unit_words ON anabranch.unit USING gin (words);
)"});
static_assert(kSteps.size() == kPgSchemaVersion);

constexpr const char* kStreamColumns =
    "SELECT id, name, tokenizer, embedder, width, cutter FROM anabranch.stream";

PgStream ReadStream(const pqxx::row& row) {
  PgStream stream;
  stream.id = row[0].as<int64_t>();
  stream.info.name = pqxx::binarystring(row[1]).str();
  stream.info.tokenizer = row[2].c_str();
  stream.info.embedder = row[3].c_str();
  stream.info.width = row[4].as<int32_t>();
  stream.info.cutter = row[5].as<int32_t>();
  return stream;
}

int64_t HashKey(const std::string& text) {
  return static_cast<int64_t>(XXH3_64bits(text.data(), text.size()));
}

}  // namespace

int64_t PgSchemaLockKey() { return HashKey("anabranch\nschema"); }

int64_t PgStreamLockKey(const std::string& stream) {
  return HashKey("anabranch\nstream\n" + stream);
}

Result<int> PgSchemaVersion(pqxx::transaction_base* db, const std::string& store) {
  const pqxx::row there = db->exec1(
      "SELECT count(*), count(*) FILTER (WHERE relname = 'meta') FROM pg_catalog.pg_class "
      "WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'anabranch')");
  if (there[0].as<int64_t>() == 0) return 0;
  const auto foreign = [&](const std::string& fault) {
    return Fail(ErrorKind::kCorrupt, store, "its schema anabranch " + fault,
                "name another database, or restore this one from a copy");
  };
  if (there[1].as<int64_t>() == 0) return foreign("is another program's");
  const pqxx::result rows = db->exec(
      "SELECT value FROM anabranch.meta WHERE key = 'schema version' AND value ~ "
      "'^[1-9]\\d{0,8}$'");
  if (rows.empty()) return foreign("does not say its version");
  const int version = rows[0][0].as<int>();
  if (version > kPgSchemaVersion) {
    return Fail(ErrorKind::kUnsupported, store,
                fmt::format("its schema anabranch has version {}, this program knows version {}",
                            version, kPgSchemaVersion),
                "use a program of the version that made it");
  }
  return version;
}

Result<void> UpgradePgSchema(pqxx::transaction_base* db, const std::string& store) {
  db->exec_params("SELECT pg_advisory_xact_lock($1)", PgSchemaLockKey());
  // Another process may have done it in the meantime.
  ASSIGN_OR_RETURN(const int version, PgSchemaVersion(db, store));
  if (version == kPgSchemaVersion) return {};
  // IF NOT EXISTS would ask for the right to create schemas even where an administrator made ours.
  const pqxx::row schemas =
      db->exec1("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'anabranch'");
  if (schemas[0].as<int>() == 0) db->exec0("CREATE SCHEMA anabranch");
  for (int step = version; step < kPgSchemaVersion; ++step) {
    db->exec(kSteps[static_cast<size_t>(step)]);
  }
  db->exec_params(
      "INSERT INTO anabranch.meta VALUES ('schema version', $1) "
      "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      kPgSchemaVersion);
  return {};
}

std::optional<PgStream> FindPgStream(pqxx::transaction_base* db, const std::string& name) {
  const pqxx::result rows = db->exec_params(
      std::string(kStreamColumns) + " WHERE sha256(name) = sha256($1::bytea)", PgBytes(name));
  if (rows.empty()) return std::nullopt;
  return ReadStream(rows[0]);
}

std::vector<PgStream> PgStreams(pqxx::transaction_base* db) {
  std::vector<PgStream> streams;
  const pqxx::result rows = db->exec(std::string(kStreamColumns) + " ORDER BY name");
  for (const auto& row : rows) streams.push_back(ReadStream(row));
  return streams;
}

PgStream CreatePgStream(pqxx::transaction_base* db, const RemoteStreamInfo& info) {
  const pqxx::row id = db->exec_params1(
      "INSERT INTO anabranch.stream (name, label, tokenizer, embedder, width, cutter) "
      "VALUES ($1::bytea, $2, $3, $4, $5, $6) RETURNING id",
      PgBytes(info.name), PgText(info.name), info.tokenizer, info.embedder, info.width,
      info.cutter);
  const PgStream stream = {id[0].as<int64_t>(), info};
  CreatePgUnits(db, stream);
  return stream;
}

void CreatePgUnits(pqxx::transaction_base* db, const PgStream& stream) {
  // Attaching a table keeps others from making streams, PARTITION OF from reading units.
  db->exec(
      fmt::format("CREATE TABLE {0} (LIKE anabranch.unit INCLUDING ALL, "
                  "CHECK (vector_dims(embedding) = {1}));"
                  "ALTER TABLE anabranch.unit ATTACH PARTITION {0} FOR VALUES IN ({2})",
                  stream.units(), stream.info.width, stream.id));
}

void UpdatePgStream(pqxx::transaction_base* db, const PgStream& stream,
                    const RemoteStreamInfo& info) {
  db->exec_params0(
      "UPDATE anabranch.stream SET tokenizer = $2, embedder = $3, width = $4, cutter = $5 "
      "WHERE id = $1",
      stream.id, info.tokenizer, info.embedder, info.width, info.cutter);
}

void DropPgUnits(pqxx::transaction_base* db, const PgStream& stream) {
  db->exec0("DROP TABLE IF EXISTS " + stream.units());
}

void DropPgStream(pqxx::transaction_base* db, const PgStream& stream) {
  DropPgUnits(db, stream);
  db->exec_params0("DELETE FROM anabranch.stream WHERE id = $1", stream.id);
}

}  // namespace anabranch
