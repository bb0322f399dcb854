// What the tests of the PostgreSQL store share: one server, streams of small random vectors,
// records of hostile bytes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "memory/journal_store.h"
#include "memory/remote_store.h"
#include "support/postgres_server.h"

namespace anabranch::testing::postgres {

inline constexpr int32_t kWidth = 16;
inline constexpr StreamPos kEnd(int64_t{1} << 40);

inline PostgresServer& Postgres() {
  static PostgresServer server(ANABRANCH_SOURCE_DIR);
  return server;
}

inline std::unique_ptr<RemoteStore> Open(const std::string& location, RemoteOptions options = {}) {
  if (options.password.empty()) options.password = PostgresServer::kPassword;
  Result<std::unique_ptr<RemoteStore>> store = OpenPostgresStore(location, options);
  EXPECT_TRUE(store) << store.error().Message();
  return *std::move(store);
}

inline RemoteStreamInfo Info(const std::string& name) {
  return {name, "tokenizer-a", "embedder-a", kWidth, 3};
}

inline std::vector<float> RandomVector(std::mt19937* random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kWidth);
  float squares = 0;
  for (float& value : vector) {
    value = normal(*random);
    squares += value * value;
  }
  for (float& value : vector) value /= std::sqrt(squares);
  return vector;
}

inline RemoteUnit Unit(uint64_t id, std::mt19937* random, const std::string& text = "some words") {
  const auto n = static_cast<int64_t>(id % 1000000);
  RemoteUnit unit;
  unit.id = UnitId(id);
  unit.text_begin = 10 * n;
  unit.text_end = 10 * n + 9;
  unit.span = {StreamPos(2 * n), StreamPos(2 * n + 2)};
  unit.turn = n / 4;
  unit.role = n % 2 == 0 ? Role::kUser : Role::kAssistant;
  unit.question = n % 5 == 0;
  unit.time_ms = 1700000000000 + n;
  unit.text = text;
  unit.vector = RandomVector(random);
  return unit;
}

inline float Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return static_cast<float>(sum);
}

// What Nearest must give: the truth by brute force.
inline std::vector<UnitId> BruteForce(const std::vector<RemoteUnit>& units,
                                      const std::vector<float>& query, size_t k,
                                      const UnitFilter& filter) {
  std::vector<std::pair<float, UnitId>> scored;
  for (const RemoteUnit& unit : units) {
    if (unit.question == filter.questions && unit.span.end <= filter.before) {
      scored.emplace_back(-Cosine(unit.vector, query), unit.id);
    }
  }
  std::sort(scored.begin(), scored.end());
  scored.resize(std::min(k, scored.size()));
  std::vector<UnitId> ids;
  for (const auto& [score, id] : scored) ids.push_back(id);
  return ids;
}

inline std::vector<UnitId> IdsOf(const std::vector<RemoteHit>& hits) {
  std::vector<UnitId> ids;
  for (const RemoteHit& hit : hits) ids.push_back(hit.id);
  return ids;
}

inline RemoteStore::Deadline In(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

inline StoredRecord Text(int64_t begin, const std::string& bytes, int64_t text_begin) {
  StoredRecord stored;
  JournalRecord& record = stored.record;
  record.turn = begin / 10;
  record.role = Role::kAssistant;
  record.begin = StreamPos(begin);
  for (size_t i = 0; i < bytes.size(); ++i) {
    record.ids.push_back(TokenId(static_cast<int32_t>(i) - 1));
    record.token_ends.push_back(static_cast<uint32_t>(i + 1));
  }
  record.bytes = bytes;
  record.time_ms = 1700000000123 + begin;
  record.source_cursor = std::string("file\0hash:\xff", 11);
  stored.end = record.end();
  stored.text_begin = text_begin;
  return stored;
}

inline StoredRecord Missing(RecordKind kind, int64_t begin, int64_t end) {
  StoredRecord stored;
  stored.record.kind = kind;
  stored.record.begin = StreamPos(begin);
  stored.end = StreamPos(end);
  stored.text_begin = 77;
  return stored;
}

inline bool Same(const StoredRecord& a, const StoredRecord& b) {
  const JournalRecord &x = a.record, &y = b.record;
  return a.end == b.end && a.text_begin == b.text_begin && x.turn == y.turn && x.role == y.role &&
         x.kind == y.kind && x.begin == y.begin && x.ids == y.ids && x.bytes == y.bytes &&
         x.token_ends == y.token_ends && x.time_ms == y.time_ms &&
         x.source_cursor == y.source_cursor;
}

inline std::vector<StoredRecord> AllRecords(RemoteStore* store, const std::string& stream,
                                            StreamPos from = StreamPos(0)) {
  std::vector<StoredRecord> records;
  const Result<void> read = store->Records(stream, from, [&](StoredRecord record) -> Result<void> {
    records.push_back(std::move(record));
    return {};
  });
  EXPECT_TRUE(read) << read.error().Message();
  return records;
}

inline void ExpectSame(const std::vector<StoredRecord>& read,
                       const std::vector<StoredRecord>& written) {
  ASSERT_EQ(read.size(), written.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_TRUE(Same(read[i], written[i])) << "record " << i;
  }
}

#define ASSERT_OK(expression)                              \
  do {                                                     \
    const auto& ok_result = (expression);                  \
    ASSERT_TRUE(ok_result) << ok_result.error().Message(); \
  } while (false)

#define ASSERT_FAILS(expression, expected)                                                         \
  do {                                                                                             \
    const auto& failed_result = (expression);                                                      \
    ASSERT_FALSE(failed_result);                                                                   \
    ASSERT_EQ(failed_result.error().kind, ErrorKind::expected) << failed_result.error().Message(); \
    ASSERT_EQ(failed_result.error().Message().find("s3cret"), std::string::npos)                   \
        << failed_result.error().Message();                                                        \
  } while (false)

}  // namespace anabranch::testing::postgres
