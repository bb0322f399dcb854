// ChromaStore against a real Chroma server.
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "memory/chroma_collection.h"
#include "memory/chroma_records.h"
#include "memory/journal.h"
#include "memory/remote_store.h"
#include "support/chroma_server.h"
#include "text/base64.h"

namespace anabranch {
namespace {

using nlohmann::json;
using testing::ChromaServer;

constexpr int kWidth = 384;

RemoteStore::Deadline Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

RemoteStreamInfo Stream(std::string name) { return {std::move(name), "tok-1", "emb-1", kWidth, 3}; }

// Unit vectors in clusters of about 50, as sentences are.
std::vector<RemoteUnit> MakeUnits(int n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> centres(static_cast<size_t>(n / 50 + 1));
  for (auto& centre : centres) {
    for (int i = 0; i < kWidth; ++i) centre.push_back(normal(random));
  }
  std::vector<RemoteUnit> units;
  for (int i = 0; i < n; ++i) {
    RemoteUnit unit;
    unit.id = UnitId(uint64_t{random()} << 32 | random());
    unit.span = {StreamPos(i * 10), StreamPos(i * 10 + 10)};
    unit.text_begin = i * 50;
    unit.text_end = i * 50 + 49;
    unit.turn = i / 8;
    unit.question = random() % 20 == 0;
    unit.text = "sentence " + std::to_string(i);
    double norm = 0;
    for (const float centre : centres[random() % centres.size()]) {
      unit.vector.push_back(centre + 0.7f * normal(random));
      norm += unit.vector.back() * unit.vector.back();
    }
    for (float& value : unit.vector) value /= static_cast<float>(std::sqrt(norm));
    units.push_back(std::move(unit));
  }
  return units;
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

// The truth that Nearest is compared with.
std::vector<RemoteHit> BruteForce(const std::vector<RemoteUnit>& units,
                                  const std::vector<float>& query, size_t k,
                                  const UnitFilter& filter) {
  std::vector<RemoteHit> hits;
  for (const RemoteUnit& unit : units) {
    if (unit.question != filter.questions || unit.span.end > filter.before) continue;
    hits.push_back({unit.id, static_cast<float>(Cosine(unit.vector, query))});
  }
  std::sort(hits.begin(), hits.end(), [](auto& a, auto& b) { return a.cosine > b.cosine; });
  if (hits.size() > k) hits.resize(k);
  return hits;
}

class ChromaStoreServer : public ::testing::Test {
 protected:
  static ChromaServer& Server() {
    static ChromaServer server(ANABRANCH_SOURCE_DIR);
    return server;
  }
  static void SetUpTestSuite() { ASSERT_TRUE(Server().Start()) << Server().Log(); }
  static void TearDownTestSuite() { Server().Stop(SIGTERM); }

  void SetUp() override { store_ = Open(); }

  static std::unique_ptr<RemoteStore> Open(const std::string& path = "") {
    auto store = OpenChromaStore(Server().location() + path, {});
    EXPECT_TRUE(store) << store.error().Message();
    return std::move(*store);
  }

  static void Ok(const Result<void>& done) { ASSERT_TRUE(done) << done.error().Message(); }

  // A call of the API without the store.
  static json Raw(const std::string& method, const std::string& path, const json& body) {
    httplib::Client client("127.0.0.1", Server().port());
    const std::string whole =
        "/api/v2/tenants/default_tenant/databases/default_database/collections" + path;
    const auto result =
        method == "GET" ? client.Get(whole) : client.Post(whole, body.dump(), "application/json");
    return result ? json::parse(result->body, nullptr, false) : json();
  }

  std::unique_ptr<RemoteStore> store_;
};

TEST_F(ChromaStoreServer, AnyBytesComeBackAsTheyWere) {
  std::vector<std::string> texts = {"plain",
                                    "",
                                    "quotes \" ' ` \\ \n\t",
                                    std::string("a\0b", 3),
                                    "\xFF\xFE broken \xC3",
                                    "\xED\xA0\x80",
                                    "\xF0\x9F\x92\xA9 emoji",
                                    "{\"$where\": 1}",
                                    std::string(10000, 'x'),
                                    std::string(10000, '\x80')};
  const std::string name = "it's \"a\" name\n\xFF" + std::string(1, '\0') + std::string(500, 'n');
  Ok(store_->OpenStream(Stream(name)));
  std::vector<RemoteUnit> units = MakeUnits(static_cast<int>(texts.size()), 1);
  for (size_t i = 0; i < texts.size(); ++i) units[i].text = texts[i];
  Ok(store_->Upsert(name, units));

  const auto streams = store_->Streams();
  ASSERT_TRUE(streams) << streams.error().Message();
  EXPECT_TRUE(std::any_of(streams->begin(), streams->end(),
                          [&](const RemoteStreamInfo& stream) { return stream.name == name; }));
  const json collection = Raw("GET", "/" + CollectionName(name), {});
  const json there = Raw("POST", "/" + collection["id"].get<std::string>() + "/get",
                         {{"include", {"documents", "metadatas"}}});
  std::map<std::string, size_t> rows;
  for (size_t i = 0; i < there["ids"].size(); ++i) rows[there["ids"][i]] = i;
  for (const RemoteUnit& unit : units) {
    ASSERT_EQ(rows.count(RecordId(unit.id)), 1u);
    const size_t row = rows[RecordId(unit.id)];
    const json& metadata = there["metadatas"][row];
    const std::string text = metadata.contains("text_b64")
                                 ? Base64Decode(metadata["text_b64"].get<std::string>()).value()
                                 : there["documents"][row].get<std::string>();
    EXPECT_EQ(text, unit.text);
    EXPECT_EQ(metadata["turn"], unit.turn);
    EXPECT_EQ(metadata["text_end"], unit.text_end);
  }
}

TEST_F(ChromaStoreServer, VectorsIdsAndErasing) {
  Ok(store_->OpenStream(Stream("vectors")));
  std::vector<RemoteUnit> units = MakeUnits(300, 2);
  Ok(store_->Upsert("vectors", units));
  Ok(store_->Upsert("vectors", std::span(units).first(150)));  // again: no unit twice

  std::vector<UnitId> ids, all;
  for (const RemoteUnit& unit : units) all.push_back(unit.id);
  ids = all;
  std::sort(all.begin(), all.end());
  EXPECT_EQ(store_->Ids("vectors").value(), all);

  ids.push_back(UnitId(1));  // not there
  const auto vectors = store_->Vectors("vectors", ids, Soon());
  ASSERT_TRUE(vectors) << vectors.error().Message();
  ASSERT_EQ(vectors->size(), units.size());
  for (const RemoteVector& vector : *vectors) {
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [&](const RemoteUnit& u) { return u.id == vector.id; });
    ASSERT_NE(unit, units.end());
    for (size_t i = 0; i < kWidth; ++i) {
      ASSERT_NEAR(vector.vector[i], unit->vector[i], 1e-7f);
    }
  }

  // Replaced: every score is of the new vector. Which units come first is not asked here: Chroma's
  // graph takes two updates at once and may, very rarely, lose the way to one.
  std::swap(units[0].vector, units[1].vector);
  Ok(store_->Upsert("vectors", std::span(units).first(2)));
  const std::vector<float>& query = units[0].vector;
  const auto hits = store_->Nearest("vectors", query, 300, {false, StreamPos(1000000)}, Soon());
  ASSERT_TRUE(hits) << hits.error().Message();
  EXPECT_GT(hits->size(), 250u);
  for (const RemoteHit& hit : *hits) {
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [&](const RemoteUnit& u) { return u.id == hit.id; });
    ASSERT_NE(unit, units.end());
    EXPECT_NEAR(hit.cosine, Cosine(unit->vector, query), 1e-5);
  }

  Ok(store_->Erase("vectors", ids));
  Ok(store_->Erase("vectors", ids));
  EXPECT_TRUE(store_->Ids("vectors")->empty());
  EXPECT_TRUE(store_->Vectors("vectors", ids, Soon())->empty());
  EXPECT_TRUE(
      store_->Nearest("vectors", units[0].vector, 5, {false, StreamPos(1000)}, Soon())->empty());
}

TEST_F(ChromaStoreServer, ATextThatBecomesBytesLeavesNoOldText) {
  Ok(store_->OpenStream(Stream("bytes")));
  std::vector<RemoteUnit> units = MakeUnits(1, 3);
  units[0].text = "secret";
  Ok(store_->Upsert("bytes", units));
  units[0].text = "\xFF";
  Ok(store_->Upsert("bytes", units));
  const std::string path =
      "/" + Raw("GET", "/" + CollectionName("bytes"), {})["id"].get<std::string>() + "/get";
  const json body = {{"include", {"documents", "metadatas"}}};
  EXPECT_EQ(Raw("POST", path, body).dump().find("secret"), std::string::npos);
  units[0].text = "text again";
  Ok(store_->Upsert("bytes", units));
  EXPECT_EQ(Raw("POST", path, body).dump().find("text_b64"), std::string::npos);
}

TEST_F(ChromaStoreServer, NearestIsBruteForcesUnderEveryFilter) {
  Ok(store_->OpenStream(Stream("recall")));
  std::vector<RemoteUnit> units = MakeUnits(3000, 4);
  for (size_t i = 0; i < units.size(); i += 500) {
    Ok(store_->Upsert("recall", std::span(units).subspan(i, 500)));
  }
  std::mt19937 random(5);
  size_t wanted = 0, found = 0;
  const auto check = [&](const UnitFilter& filter, int n_queries) {
    for (int q = 0; q < n_queries; ++q) {
      const std::vector<float>& query = units[random() % units.size()].vector;
      const auto truth = BruteForce(units, query, 10, filter);
      const auto hits = store_->Nearest("recall", query, 10, filter, Soon());
      ASSERT_TRUE(hits) << hits.error().Message();
      ASSERT_EQ(hits->size(), truth.size());
      std::set<UnitId> ids;
      for (size_t i = 0; i < truth.size(); ++i) {
        ids.insert((*hits)[i].id);
        ASSERT_LE((*hits)[i].cosine, (*hits)[i == 0 ? 0 : i - 1].cosine);
        ASSERT_NEAR((*hits)[i].cosine, truth[i].cosine, 0.05);
      }
      for (const RemoteHit& hit : truth) found += ids.count(hit.id);
      wanted += truth.size();
      // The cosine itself, not only the order.
      for (const RemoteHit& hit : *hits) {
        const auto unit = std::find_if(units.begin(), units.end(),
                                       [&](const RemoteUnit& u) { return u.id == hit.id; });
        ASSERT_NEAR(hit.cosine, Cosine(unit->vector, query), 1e-6);
        ASSERT_EQ(unit->question, filter.questions);
        ASSERT_LE(unit->span.end, filter.before);
      }
    }
  };
  for (const bool questions : {false, true}) {
    for (const int64_t before : {30000, 15000, 3000, 300, 40, 0}) {
      check({questions, StreamPos(before)}, 20);
    }
  }
  EXPECT_GE(static_cast<double>(found), 0.98 * static_cast<double>(wanted));

  // Of what is left when most has gone, nothing is missed either.
  std::vector<UnitId> gone;
  for (size_t i = 100; i < units.size(); ++i) gone.push_back(units[i].id);
  Ok(store_->Erase("recall", gone));
  units.resize(100);
  wanted = found = 0;
  check({false, StreamPos(30000)}, 20);
  EXPECT_GE(static_cast<double>(found), 0.98 * static_cast<double>(wanted));
}

TEST_F(ChromaStoreServer, PositionsAreComparedAsWholeNumbers) {
  Ok(store_->OpenStream(Stream("positions")));
  std::vector<RemoteUnit> units = MakeUnits(4, 6);
  const std::vector<int64_t> ends = {kMaxCoordinate, kMaxCoordinate - 1, kMaxCoordinate - 2,
                                     (int64_t{1} << 53) + 1};
  for (size_t i = 0; i < units.size(); ++i) {
    units[i].question = false;
    units[i].span = {StreamPos(ends[i] - 1), StreamPos(ends[i])};
    units[i].time_ms = std::numeric_limits<int64_t>::max() - static_cast<int64_t>(i);
  }
  Ok(store_->Upsert("positions", units));
  for (const int64_t end : ends) {
    for (const int64_t before : {end - 1, end}) {
      const auto hits =
          store_->Nearest("positions", units[0].vector, 4, {false, StreamPos(before)}, Soon());
      ASSERT_TRUE(hits) << hits.error().Message();
      const auto n =
          std::count_if(ends.begin(), ends.end(), [&](int64_t e) { return e <= before; });
      EXPECT_EQ(hits->size(), static_cast<size_t>(n)) << before;
    }
  }
}

TEST_F(ChromaStoreServer, AnotherMakingIsRefusedAndBothAreNamed) {
  Ok(store_->OpenStream(Stream("made")));
  Ok(store_->OpenStream(Stream("made")));
  const auto refused = [&](const RemoteStreamInfo& stream, const std::string& is,
                           const std::string& want) {
    const auto opened = Open()->OpenStream(stream);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(opened.error().Message().find(is), std::string::npos) << opened.error().Message();
    EXPECT_NE(opened.error().Message().find(want), std::string::npos) << opened.error().Message();
  };
  RemoteStreamInfo other = Stream("made");
  other.embedder = "emb-2";
  refused(other, "emb-1", "emb-2");
  other = Stream("made");
  other.tokenizer = "tok-2";
  refused(other, "tok-1", "tok-2");
  other = Stream("made");
  other.width = 768;
  refused(other, "384", "768");
  other = Stream("made");
  other.cutter = 4;
  refused(other, "cutter 3", "4");
  // get_or_create gives what is there, whatever distance is asked for.
  json euclidean = CreateCollectionBody(Stream("euclidean"));
  euclidean["configuration"]["hnsw"]["space"] = "l2";
  ASSERT_TRUE(Raw("POST", "", euclidean).contains("id"));
  refused(Stream("euclidean"), "l2", "cosine");
  // A collection of this name that is somebody else's.
  ASSERT_TRUE(Raw("POST", "", {{"name", CollectionName("foreign")}}).contains("id"));
  EXPECT_EQ(store_->OpenStream(Stream("foreign")).error().kind, ErrorKind::kCorrupt);
}

TEST_F(ChromaStoreServer, StreamsAreOursAloneHoweverMany) {
  auto store = Open("/other_tenant/other_db");  // neither is there
  EXPECT_TRUE(store->Streams()->empty());
  std::set<std::string> names;
  for (int i = 0; i < 205; ++i) names.insert("stream " + std::to_string(i));
  for (const std::string& name : names) Ok(store->OpenStream(Stream(name)));
  httplib::Client client("127.0.0.1", Server().port());
  const std::string path = "/api/v2/tenants/other_tenant/databases/other_db/collections";
  for (const char* body :
       {R"({"name":"somebody"})", R"({"name":"ab-else"})",
        R"({"name":"ab-copy","metadata":{"anabranch":1,"stream":"stream 1"}})"}) {
    ASSERT_EQ(client.Post(path, body, "application/json")->status, 200);
  }
  const auto streams = store->Streams();
  ASSERT_TRUE(streams) << streams.error().Message();
  EXPECT_EQ(streams->size(), names.size());
  for (const RemoteStreamInfo& stream : *streams) {
    EXPECT_EQ(names.count(stream.name), 1u) << stream.name;
    EXPECT_EQ(stream.embedder, "emb-1");
    EXPECT_EQ(stream.tokenizer, "tok-1");
    EXPECT_EQ(stream.width, kWidth);
    EXPECT_EQ(stream.cutter, 3);
  }
}

TEST_F(ChromaStoreServer, StreamsDoNotTouchOneAnother) {
  Ok(store_->OpenStream(Stream("one")));
  Ok(store_->OpenStream(Stream("two")));
  const std::vector<RemoteUnit> units = MakeUnits(20, 7);
  Ok(store_->Upsert("one", std::span(units).first(10)));
  Ok(store_->Upsert("two", std::span(units).subspan(10)));
  EXPECT_EQ(store_->Ids("one")->size(), 10u);
  const std::vector<UnitId> of_two = {units[10].id};
  Ok(store_->Erase("one", of_two));
  EXPECT_EQ(store_->Ids("two")->size(), 10u);
  const auto hits = store_->Nearest("one", units[10].vector, 20, {false, StreamPos(1000)}, Soon());
  for (const RemoteHit& hit : *hits) EXPECT_NE(hit.id, units[10].id);
  Ok(store_->DropStream("one"));
  Ok(store_->DropStream("one"));
  EXPECT_EQ(store_->Ids("two")->size(), 10u);
}

TEST_F(ChromaStoreServer, ACollectionThatAnotherProgramMadeAnewIsFoundAgain) {
  const std::vector<RemoteUnit> units = MakeUnits(5, 8);
  Ok(store_->OpenStream(Stream("anew")));
  Ok(store_->Upsert("anew", units));
  auto other = Open();
  Ok(other->DropStream("anew"));
  const auto gone = store_->Upsert("anew", units);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::kCorrupt);
  EXPECT_NE(gone.error().Message().find("is gone"), std::string::npos);
  Ok(other->OpenStream(Stream("anew")));
  Ok(store_->Upsert("anew", units));
  EXPECT_EQ(other->Ids("anew")->size(), 5u);
}

}  // namespace
}  // namespace anabranch
