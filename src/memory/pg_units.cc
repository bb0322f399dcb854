#include "memory/pg_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "memory/pg_array.h"
#include "memory/pg_text.h"

namespace anabranch {
namespace {

constexpr size_t kMaxStatement = size_t{256} << 20;  // bytes; the protocol's limit is 1 GB

constexpr const char* kUpsert = R"(
INSERT INTO {0} AS was (stream_id, id, text_begin, text_end, span_begin, span_end, turn, role,
                        question, time_ms, bytes, text, embedding)
SELECT {1}, * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[],
                          $7::int2[], $8::bool[], $9::int8[], $10::bytea[], $11::text[],
                          $12::vector[])
ON CONFLICT (stream_id, id) DO UPDATE SET
  text_begin = excluded.text_begin, text_end = excluded.text_end, span_begin = excluded.span_begin,
  span_end = excluded.span_end, turn = excluded.turn, role = excluded.role,
  question = excluded.question, time_ms = excluded.time_ms, bytes = excluded.bytes,
  text = excluded.text, embedding = excluded.embedding
WHERE (was.text_begin, was.text_end, was.span_begin, was.span_end, was.turn, was.role, was.question,
       was.time_ms, was.bytes, was.embedding) IS DISTINCT FROM
      (excluded.text_begin, excluded.text_end, excluded.span_begin, excluded.span_end,
       excluded.turn, excluded.role, excluded.question, excluded.time_ms, excluded.bytes,
       excluded.embedding)
)";

pqxx::binarystring IdArray(std::span<const UnitId> ids) {
  PgArray array(kPgInt8);
  for (const UnitId id : ids) array.AddInt8(PgId(id));
  return array.Parameter();
}

// pgvector's text form: [1,0.5,-2e-05]. Empty: it is something else.
std::vector<float> ParseVector(std::string_view text) {
  std::vector<float> vector;
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return {};
  const char* at = text.data();
  while (*at == '[' || *at == ',') {
    const auto [end, error] =
        std::from_chars(at + 1, text.data() + text.size(), vector.emplace_back());
    if (error != std::errc()) return {};
    at = end;
  }
  return at + 1 == text.data() + text.size() ? vector : std::vector<float>();
}

}  // namespace

Result<void> UpsertPgUnits(pqxx::transaction_base* db, const PgStream& stream, uint32_t vector_type,
                           std::span<const RemoteUnit> units) {
  PgArray ids(kPgInt8), text_begins(kPgInt8), text_ends(kPgInt8), begins(kPgInt8), ends(kPgInt8),
      turns(kPgInt8), roles(kPgInt2), questions(kPgBool), times(kPgInt8), bytes(kPgBytea),
      texts(kPgText), vectors(vector_type);
  // One statement may touch a row once: of units with the same id the last one counts.
  std::map<UnitId, const RemoteUnit*> by_id;
  for (const RemoteUnit& unit : units) by_id[unit.id] = &unit;
  for (const auto& [id, unit] : by_id) {
    if (unit->vector.size() != static_cast<size_t>(stream.info.width)) {
      return Fail(ErrorKind::kInvalid, fmt::format("unit {:016x}", id.value()),
                  fmt::format("its vector is {} wide, the stream's are {}", unit->vector.size(),
                              stream.info.width));
    }
    ids.AddInt8(PgId(id));
    text_begins.AddInt8(unit->text_begin);
    text_ends.AddInt8(unit->text_end);
    begins.AddInt8(unit->span.begin.value());
    ends.AddInt8(unit->span.end.value());
    turns.AddInt8(unit->turn);
    roles.AddInt2(static_cast<int16_t>(unit->role));
    questions.AddBool(unit->question);
    times.AddInt8(unit->time_ms);
    bytes.AddBytes(unit->text);
    texts.AddBytes(PgText(unit->text));
    vectors.AddBytes(PgVector(unit->vector));
    if (bytes.bytes() + texts.bytes() + vectors.bytes() > kMaxStatement) {
      return Fail(ErrorKind::kLimit, fmt::format("{} units", units.size()),
                  "are too much for one statement", "write fewer at once");
    }
  }
  db->exec_params0(fmt::format(kUpsert, stream.units(), stream.id), ids.Parameter(),
                   text_begins.Parameter(), text_ends.Parameter(), begins.Parameter(),
                   ends.Parameter(), turns.Parameter(), roles.Parameter(), questions.Parameter(),
                   times.Parameter(), bytes.Parameter(), texts.Parameter(), vectors.Parameter());
  return {};
}

void ErasePgUnits(pqxx::transaction_base* db, const PgStream& stream, std::span<const UnitId> ids) {
  db->exec_params0(fmt::format("DELETE FROM {} WHERE id = ANY($1::int8[]) AND stream_id = {}",
                               stream.units(), stream.id),
                   IdArray(ids));
}

Result<std::vector<RemoteVector>> PgUnitVectors(pqxx::transaction_base* db, const PgStream& stream,
                                                std::span<const UnitId> ids) {
  const pqxx::result rows = db->exec_params(
      fmt::format("SELECT id, embedding FROM {} WHERE id = ANY($1::int8[]) AND stream_id = {}",
                  stream.units(), stream.id),
      IdArray(ids));
  std::vector<RemoteVector> vectors;
  for (const auto& row : rows) {
    RemoteVector& last = vectors.emplace_back();
    last.id = UnitIdOf(row[0]);
    last.vector = ParseVector({row[1].c_str(), row[1].size()});
    if (last.vector.size() != static_cast<size_t>(stream.info.width)) {
      return Fail(ErrorKind::kCorrupt, fmt::format("unit {:016x}", last.id.value()),
                  fmt::format("the server's vector is not {} wide", stream.info.width),
                  "write its stream to the server again");
    }
  }
  return vectors;
}

std::vector<UnitId> PgUnitIds(pqxx::transaction_base* db, const PgStream& stream) {
  const pqxx::result rows = db->exec("SELECT id FROM " + stream.units());
  std::vector<UnitId> ids;
  ids.reserve(static_cast<size_t>(rows.size()));
  for (const auto& row : rows) ids.push_back(UnitIdOf(row[0]));
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace anabranch
