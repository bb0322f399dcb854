// The PostgreSQL store's data on a real server. What all stores have in common is tested by the
// contract tests; here is what PostgreSQL has of its own.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "memory/pg_store_fixture.h"

namespace anabranch {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using namespace testing::postgres;

TEST(PgStore, ReturnsTheTruthWhereItScans) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(1);
  std::vector<RemoteUnit> units;
  for (uint64_t i = 0; i < 500; ++i) units.push_back(Unit(~uint64_t{0} - i * 977, &random));
  ASSERT_OK(store->Upsert("s", units));
  for (int i = 0; i < 20; ++i) {
    const std::vector<float> query = RandomVector(&random);
    const UnitFilter filter = {i % 2 == 0, StreamPos(i % 3 == 0 ? 1000000 : 2000000)};
    const auto hits = store->Nearest("s", query, 10, filter, In(10s));
    ASSERT_OK(hits);
    EXPECT_EQ(IdsOf(*hits), BruteForce(units, query, 10, filter));
    for (const RemoteHit& hit : *hits) {
      const auto unit = std::find_if(units.begin(), units.end(),
                                     [&](const RemoteUnit& u) { return u.id == hit.id; });
      EXPECT_NEAR(hit.cosine, Cosine(unit->vector, query), 1e-6);
    }
  }
  const auto nearest = store->Nearest("s", units[0].vector, 5000, {false, kEnd}, In(10s));
  ASSERT_OK(nearest);
  EXPECT_EQ(nearest->size(), BruteForce(units, units[0].vector, 5000, {false, kEnd}).size());
}

TEST(PgStore, KeepsEveryByteAndFindsTheWordsOfText) {
  const std::string database = Postgres().CreateDatabase();
  const auto store = Open(Postgres().Location(database));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(2);
  std::string everything("Locker 481 \0 and ", 17);
  for (int byte = 0; byte < 256; ++byte) everything += static_cast<char>(byte);
  std::string huge;
  for (int i = 0; i < 200000; ++i) huge += " word" + std::to_string(i);
  const std::vector<RemoteUnit> units = {Unit(1, &random, everything), Unit(2, &random, ""),
                                         Unit(3, &random, huge),
                                         Unit(4, &random, std::string(100000, 'x'))};
  ASSERT_OK(store->Upsert("s", units));
  for (const RemoteUnit& unit : units) {
    std::string hex;
    for (const char c : unit.text) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
    EXPECT_EQ(
        Postgres().Sql(database, fmt::format("SELECT bytes = '\\x{}' FROM anabranch.unit WHERE "
                                             "id = {}",
                                             unit.text.size() > 10000 ? "" : hex, unit.id.value())),
        unit.text.size() > 10000 ? "f\n" : "t\n");
  }
  EXPECT_EQ(Postgres().Sql(database, "SELECT length(bytes) FROM anabranch.unit ORDER BY id"),
            fmt::format("{}\n0\n{}\n100000\n", everything.size(), huge.size()));
  EXPECT_EQ(Postgres().Sql(database,
                           "SELECT id FROM anabranch.unit WHERE words @@ "
                           "to_tsquery('simple', 'locker & 481')"),
            "1\n");
  const auto vectors =
      store->Vectors("s", std::vector<UnitId>{UnitId(1), UnitId(9), UnitId(3)}, In(10s));
  ASSERT_OK(vectors);
  ASSERT_EQ(vectors->size(), 2u);
  for (const RemoteVector& vector : *vectors) {
    EXPECT_EQ(vector.vector, units[vector.id.value() - 1].vector);  // to the bit
  }
}

TEST(PgStore, WritingTwiceIsWritingOnceAndTheLastOneCounts) {
  const std::string database = Postgres().CreateDatabase();
  const auto store = Open(Postgres().Location(database));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(3);
  std::vector<RemoteUnit> units;
  for (uint64_t i = 0; i < 50; ++i) units.push_back(Unit(i, &random));
  ASSERT_OK(store->Upsert("s", units));
  const char* const rows = "SELECT id, ctid, bytes, embedding FROM anabranch.unit ORDER BY id";
  const std::string before = Postgres().Sql(database, rows);
  ASSERT_OK(store->Upsert("s", units));
  EXPECT_EQ(Postgres().Sql(database, rows), before);  // not a row was written again

  RemoteUnit changed = Unit(7, &random, "first");
  std::vector<RemoteUnit> both = {changed, changed};
  both[1].text = "second";
  ASSERT_OK(store->Upsert("s", both));
  EXPECT_EQ(Postgres().Sql(database,
                           "SELECT count(*), max(text) FILTER (WHERE id = 7) FROM "
                           "anabranch.unit"),
            "50|second\n");
  const auto vectors = store->Vectors("s", std::vector<UnitId>{UnitId(7)}, In(10s));
  ASSERT_OK(vectors);
  EXPECT_EQ(vectors->at(0).vector, changed.vector);
}

TEST(PgStore, ErasesUnitsAndSortsTheIdsThatAreLeft) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(4);
  const std::vector<uint64_t> ids = {5, ~uint64_t{0}, uint64_t{1} << 63, 0,
                                     (uint64_t{1} << 63) - 1};
  std::vector<RemoteUnit> units;
  for (const uint64_t id : ids) units.push_back(Unit(id, &random));
  ASSERT_OK(store->Upsert("s", units));
  ASSERT_OK(store->Erase("s", std::vector<UnitId>{UnitId(5), UnitId(6)}));
  const auto left = store->Ids("s");
  ASSERT_OK(left);
  EXPECT_EQ(*left,
            (std::vector<UnitId>{UnitId(0), UnitId(ids[4]), UnitId(ids[2]), UnitId(ids[1])}));
  const auto hits = store->Nearest("s", units[0].vector, 10, {true, kEnd}, In(10s));
  ASSERT_OK(hits);
  for (const RemoteHit& hit : *hits) EXPECT_NE(hit.id, UnitId(5));
}

TEST(PgStore, NamesOfStreamsAreAnyBytes) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  std::vector<std::string> names = {"default",
                                    "'; DROP SCHEMA anabranch CASCADE; --",
                                    "\"quoted\" $1 %s \\ {}",
                                    std::string("nul\0nul", 7),
                                    "nul",
                                    "broken \xff\xc0 UTF-8",
                                    "Grüße 🦆",
                                    "",
                                    std::string(10000, 'n'),
                                    std::string(10000, 'n') + "x"};
  std::mt19937 random(5);
  for (size_t i = 0; i < names.size(); ++i) {
    ASSERT_OK(store->OpenStream(Info(names[i])));
    ASSERT_OK(store->Lock(names[i]));
    ASSERT_OK(store->Upsert(names[i], std::vector<RemoteUnit>{Unit(i, &random)}));
    ASSERT_OK(store->ReplaceRecords(names[i], {StreamPos(0), StreamPos(2)},
                                    std::vector<StoredRecord>{Text(0, "ab", 0)}));
  }
  ASSERT_OK(store->DropStream(names[1]));
  ASSERT_OK(store->DropStream(names[1]));
  ASSERT_FAILS(store->Ids(names[1]), kNotFound);
  const auto streams = store->Streams();
  ASSERT_OK(streams);
  std::vector<std::string> found;
  for (const RemoteStreamInfo& info : *streams) found.push_back(info.name);
  std::sort(found.begin(), found.end());
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == 1) continue;
    const auto ids = store->Ids(names[i]);
    ASSERT_OK(ids);
    EXPECT_EQ(*ids, std::vector<UnitId>{UnitId(i)});
    EXPECT_EQ(AllRecords(store.get(), names[i]).size(), 1u);
  }
  names.erase(names.begin() + 1);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(found, names);
}

TEST(PgStore, AStreamThatAnotherDroppedOrMadeAnewIsFoundAgain) {
  const std::string location = Postgres().Location(Postgres().CreateDatabase());
  const auto store = Open(location), another = Open(location);
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(8);
  const std::vector<RemoteUnit> units = {Unit(1, &random)};
  const std::vector<StoredRecord> records = {Text(0, "ab", 0)};
  ASSERT_OK(store->Upsert("s", units));
  ASSERT_OK(another->DropStream("s"));
  ASSERT_FAILS(store->Upsert("s", units), kNotFound);
  ASSERT_OK(store->OpenStream(Info("s")));
  ASSERT_OK(store->Upsert("s", units));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(another->DropStream("s"));
    ASSERT_OK(another->OpenStream(Info("s")));
    if (i == 0) ASSERT_OK(store->Upsert("s", units));
    ASSERT_OK(store->ReplaceRecords("s", {StreamPos(0), StreamPos(2)}, records));
    EXPECT_EQ(another->Ids("s")->size(), i == 0 ? 1u : 0u);
    ExpectSame(AllRecords(another.get(), "s"), records);
  }
}

TEST(PgStore, KeepsRecordsAsTheyAre) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::string everything;
  for (int byte = 0; byte < 256; ++byte) everything += static_cast<char>(byte);
  StoredRecord header = Text(256, "", 300);
  header.record.kind = RecordKind::kTemplate;
  header.record.ids = {TokenId(1), TokenId(-7)};
  header.end = header.record.end();
  const std::vector<StoredRecord> records = {
      Text(0, everything, 0), header, Missing(RecordKind::kForgotten, 258, 300),
      Missing(RecordKind::kLost, 300, 301), Text(301, "tail", 400)};
  ASSERT_OK(store->ReplaceRecords("s", {StreamPos(0), StreamPos(305)}, records));
  ExpectSame(AllRecords(store.get(), "s"), records);
  // The record that holds a position is among those from there on.
  ExpectSame(AllRecords(store.get(), "s", StreamPos(299)), {records.begin() + 2, records.end()});
  ExpectSame(AllRecords(store.get(), "s", StreamPos(300)), {records.begin() + 3, records.end()});
  EXPECT_TRUE(AllRecords(store.get(), "s", StreamPos(305)).empty());
}

TEST(PgStore, ReplacesTheRecordsThatOverlapAndNoOthers) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::vector<StoredRecord> records;
  for (int64_t i = 0; i < 1000; ++i) records.push_back(Text(10 * i, "ten bytes.", 10 * i));
  ASSERT_OK(store->ReplaceRecords("s", {StreamPos(0), StreamPos(10000)}, records));
  ExpectSame(AllRecords(store.get(), "s"), records);  // several pages

  // [25, 40) touches the records at 20 and 30, neither that at 10 nor that at 40.
  const StoredRecord gap = Missing(RecordKind::kForgotten, 25, 40);
  ASSERT_OK(
      store->ReplaceRecords("s", {StreamPos(25), StreamPos(40)}, std::vector<StoredRecord>{gap}));
  records.erase(records.begin() + 2, records.begin() + 4);
  records.insert(records.begin() + 2, gap);
  ExpectSame(AllRecords(store.get(), "s"), records);

  // Behind the end, as each commit does it; and an end that is taken back.
  const StoredRecord last = Text(10000, "more", 10000);
  ASSERT_OK(store->ReplaceRecords("s", {StreamPos(10000), StreamPos(10004)},
                                  std::vector<StoredRecord>{last}));
  records.push_back(last);
  ExpectSame(AllRecords(store.get(), "s"), records);
  ASSERT_OK(store->ReplaceRecords("s", {StreamPos(9990), kEnd}, {}));
  records.resize(records.size() - 2);
  ExpectSame(AllRecords(store.get(), "s"), records);

  // All or nothing.
  const std::vector<StoredRecord> bad = {Text(0, "fine", 0), Text(2, "overlaps", 4)};
  ASSERT_FAILS(store->ReplaceRecords("s", {StreamPos(0), StreamPos(100)}, bad), kInvalid);
  ASSERT_FAILS(store->ReplaceRecords("s", {StreamPos(0), StreamPos(3)}, {bad.data(), 1}), kInvalid);
  ExpectSame(AllRecords(store.get(), "s"), records);
}

TEST(PgStore, AnErrorOfTheVisitorEndsTheWalk) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  ASSERT_OK(store->OpenStream(Info("s")));
  ASSERT_OK(store->ReplaceRecords("s", {StreamPos(0), StreamPos(4)},
                                  std::vector<StoredRecord>{Text(0, "ab", 0), Text(2, "cd", 2)}));
  int seen = 0;
  const Result<void> read = store->Records("s", StreamPos(0), [&](StoredRecord) -> Result<void> {
    ++seen;
    return Fail(ErrorKind::kIo, "disk", "full");
  });
  ASSERT_FAILS(read, kIo);
  EXPECT_EQ(seen, 1);
}

TEST(PgStore, ManyUnitsGetAnIndexThatFindsNearlyAll) {
  const std::string database = Postgres().CreateDatabase();
  const auto store = Open(Postgres().Location(database));
  ASSERT_OK(store->OpenStream(Info("many")));
  ASSERT_OK(store->OpenStream(Info("few")));
  std::mt19937 random(6);
  std::vector<RemoteUnit> units;
  for (uint64_t i = 0; i < 21000; ++i) units.push_back(Unit(i, &random));
  // What a server that stops while it builds one leaves behind.
  Postgres().Sql(database,
                 "CREATE INDEX unit_1_hnsw ON anabranch.unit_1 (turn); UPDATE pg_index SET "
                 "indisvalid = false WHERE indexrelid = 'anabranch.unit_1_hnsw'::regclass");
  const auto built = [&] {
    return Postgres().Sql(database,
                          "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid = "
                          "to_regclass('anabranch.unit_1_hnsw')") == "1\n";
  };
  for (size_t at = 0; at < 20000; at += 1000) {
    EXPECT_FALSE(built());
    ASSERT_OK(store->Upsert("many", {units.data() + at, 1000}));
  }
  ASSERT_OK(store->Upsert("few", {units.data(), 100}));
  for (int i = 0; i < 600 && !built(); ++i) std::this_thread::sleep_for(200ms);
  ASSERT_TRUE(built());
  ASSERT_OK(store->Upsert("many", {units.data() + 20000, 1000}));  // it takes new ones as well

  int found = 0, wanted = 0;
  for (int i = 0; i < 100; ++i) {
    const std::vector<float> query = RandomVector(&random);
    const UnitFilter filter = {i % 4 == 0, i % 3 == 0 ? StreamPos(20000) : kEnd};
    const auto hits = store->Nearest("many", query, 10, filter, In(10s));
    ASSERT_OK(hits);
    const std::vector<UnitId> truth = BruteForce(units, query, 10, filter);
    const std::vector<UnitId> ids = IdsOf(*hits);
    for (const UnitId id : truth) found += std::count(ids.begin(), ids.end(), id) > 0;
    wanted += static_cast<int>(truth.size());
  }
  EXPECT_GE(found, wanted * 98 / 100) << "of " << wanted;
  // It is the index that found them. (A session reports what it did once a second.)
  const auto scans = [&] {
    return Postgres().Sql(database,
                          "SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE indexrelname "
                          "LIKE '%hnsw'");
  };
  for (int i = 0; i < 100 && scans() == "0\n"; ++i) {
    std::this_thread::sleep_for(50ms);
    ASSERT_OK(store->Nearest("many", units[0].vector, 1, {false, kEnd}, In(10s)));
  }
  EXPECT_GT(std::stoi(scans()), 50);

  // What the filter leaves is not among the index's best: the scan finds it.
  const std::vector<float> query = RandomVector(&random);
  const auto early = store->Nearest("many", query, 10, {false, StreamPos(40)}, In(10s));
  ASSERT_OK(early);
  EXPECT_EQ(IdsOf(*early), BruteForce(units, query, 10, {false, StreamPos(40)}));
  const auto few = store->Nearest("few", query, 10, {false, kEnd}, In(10s));
  ASSERT_OK(few);
  EXPECT_EQ(IdsOf(*few),
            BruteForce({units.begin(), units.begin() + 100}, query, 10, {false, kEnd}));
  ASSERT_OK(store->DropStream("many"));
}

}  // namespace
}  // namespace anabranch
