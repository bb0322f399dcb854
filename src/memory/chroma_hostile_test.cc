// Servers that are no Chroma, or a broken one: each answer is a clear error of the right kind, in
// time, and no crash.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "memory/chroma_collection.h"
#include "memory/remote_store.h"
#include "support/hostile_server.h"

namespace anabranch {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HostileServer;
using testing::HttpReply;
using testing::RawRequest;
using testing::WriteAll;

constexpr int kWidth = 4;
constexpr const char* kUuid = "0c1b5b3a-4f7e-4a55-9f33-0123456789ab";

RemoteStreamInfo TheStream() { return {"notes", "tok", "emb", kWidth, 1}; }

// What Chroma answers for the stream's collection.
json TheCollection() {
  json collection = CreateCollectionBody(TheStream());
  collection["id"] = kUuid;
  collection["configuration_json"] = collection["configuration"];
  return collection;
}

std::vector<RemoteUnit> Units(int n) {
  std::vector<RemoteUnit> units;
  for (int i = 0; i < n; ++i) {
    RemoteUnit unit;
    unit.id = UnitId(static_cast<uint64_t>(i) + 1);
    unit.text = "text " + std::to_string(i);
    unit.vector = {1, 0, 0, 0};
    units.push_back(unit);
  }
  return units;
}

// Answers as Chroma does until the stream is open; then as it is told, by what a target ends with.
class ChromaHostile : public ::testing::Test {
 protected:
  void SetUp() override { OpenWith({}); }

  void OpenWith(RemoteOptions options) {
    auto store =
        OpenChromaStore("chroma:http://127.0.0.1:" + std::to_string(server_.port()), options);
    ASSERT_TRUE(store) << store.error().Message();
    store_ = std::move(*store);
    const auto opened = store_->OpenStream(TheStream());
    ASSERT_TRUE(opened) << opened.error().Message();
  }

  static steady_clock::time_point In(int ms) { return steady_clock::now() + milliseconds(ms); }

  Result<std::vector<RemoteHit>> Nearest(int ms = 5000) {
    return store_->Nearest("notes", std::vector<float>{1, 0, 0, 0}, 1, {false, StreamPos(100)},
                           In(ms));
  }

  void Answer(const std::string& target_end, HostileServer::Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_[target_end] = std::move(answer);
  }
  void Answer(const std::string& target_end, const std::string& bytes) {
    Answer(target_end, [bytes](int fd, const RawRequest&) { WriteAll(fd, bytes); });
  }
  void AnswerJson(const std::string& target_end, const json& body) {
    Answer(target_end, HttpReply("200 OK", body.dump()));
  }

  // A copy: the test may give another one while this is being sent.
  HostileServer::Answer AnswerTo(const RawRequest& request) {
    const std::lock_guard lock(mutex_);
    for (const auto& [end, answer] : answers_) {
      if (request.target().ends_with(end)) return answer;
    }
    return nullptr;
  }

  std::mutex mutex_;
  std::map<std::string, HostileServer::Answer> answers_;
  HostileServer server_{[this](int fd, const RawRequest& request) {
    if (const HostileServer::Answer answer = AnswerTo(request)) return answer(fd, request);
    const bool collection = request.target().find("/collections/") != std::string::npos;
    WriteAll(fd, HttpReply("200 OK", collection ? TheCollection().dump() : "{}"));
  }};
  std::unique_ptr<RemoteStore> store_;
};

TEST_F(ChromaHostile, StatusesAreErrorsOfTheirKinds) {
  const std::map<std::string, ErrorKind> kinds = {
      {"400 Bad Request", ErrorKind::kInvalid},
      {"401 Unauthorized", ErrorKind::kDenied},
      {"403 Forbidden", ErrorKind::kDenied},
      {"408 Request Timeout", ErrorKind::kUnavailable},
      {"409 Conflict", ErrorKind::kInvalid},
      {"413 Payload Too Large", ErrorKind::kLimit},
      {"422 Unprocessable", ErrorKind::kInvalid},
      {"429 Too Many Requests", ErrorKind::kUnavailable},
      {"500 Internal Server Error", ErrorKind::kUnavailable},
      {"503 Service Unavailable", ErrorKind::kUnavailable},
      {"302 Found", ErrorKind::kCorrupt}};
  for (const auto& [status, kind] : kinds) {
    Answer("/upsert", HttpReply(status, R"({"error":"E","message":"the reason"})"));
    const auto written = store_->Upsert("notes", Units(1));
    ASSERT_FALSE(written) << status;
    EXPECT_EQ(written.error().kind, kind) << status;
    EXPECT_NE(written.error().Message().find(status.substr(0, 3)), std::string::npos);
    EXPECT_NE(written.error().Message().find("the reason"), std::string::npos);
    EXPECT_EQ(store_->retry_after(), milliseconds(0));
  }
}

TEST_F(ChromaHostile, RetryAfterIsHandedOn) {
  Answer("/upsert", HttpReply("429 Too Many Requests", "", "Retry-After: 7\r\n"));
  ASSERT_FALSE(store_->Upsert("notes", Units(1)));
  EXPECT_EQ(store_->retry_after(), milliseconds(7000));
  AnswerJson("/upsert", json::object());
  ASSERT_TRUE(store_->Upsert("notes", Units(1)));
  EXPECT_EQ(store_->retry_after(), milliseconds(0));
}

TEST_F(ChromaHostile, AnswersOfAWrongShapeAreCorrupt) {
  const json metadata = {{"question", false}, {"end", 5}};
  const std::vector<json> answers = {
      nullptr,
      7,
      "ids",
      json::array(),
      json::object(),
      {{"ids", nullptr}},
      {{"ids", json::array()}},
      {{"ids", {7}}},
      {{"ids", {json::array({"0000000000000001"})}}},
      {{"ids", {json::array({"0000000000000001"})}}, {"distances", {{0.5, 0.5}}}},
      {{"ids", {json::array({"0000000000000001"})}},
       {"distances", {json::array({0.5})}},
       {"metadatas", {json::array({nullptr})}}},
      {{"ids", {json::array({"0000000000000001"})}},
       {"distances", {json::array({0.5})}},
       {"metadatas", {json::array({{{"question", 0}, {"end", 5}}})}}},
      {{"ids", {json::array({"0000000000000001"})}},
       {"distances", {json::array({0.5})}},
       {"metadatas", {json::array({{{"question", false}, {"end", 1e30}}})}}},
      {{"ids", {json::array({"0000000000000001"})}},
       {"distances", {json::array({17.0})}},
       {"metadatas", {json::array({metadata})}}},
      {{"ids", {json::array({"0000000000000001"})}},
       {"distances", {json::array({nullptr})}},
       {"metadatas", {json::array({metadata})}}},
      {{"ids", {json::array({"0000000000000001"})}},
       {"distances", {json::array({1e300})}},
       {"metadatas", {json::array({metadata})}}},
      {{"ids", {json::array({"somebody's"})}},
       {"distances", {json::array({0.5})}},
       {"metadatas", {json::array({metadata})}}},
      {{"ids", {json::array({"1"})}},
       {"distances", {json::array({0.5})}},
       {"metadatas", {json::array({metadata})}}},
      {{"ids", {json::array({"0000000000000001"}), json::array()}},
       {"distances", {json::array({0.5})}},
       {"metadatas", {json::array({metadata})}}}};
  for (const json& answer : answers) {
    AnswerJson("/query", answer);
    const auto hits = Nearest();
    ASSERT_FALSE(hits) << answer.dump();
    EXPECT_EQ(hits.error().kind, ErrorKind::kCorrupt) << answer.dump();
    EXPECT_NE(hits.error().Message().find("127.0.0.1"), std::string::npos);
  }
  // The one that is right passes.
  AnswerJson("/query", {{"ids", {json::array({"0000000000000001"})}},
                        {"distances", {json::array({0.5})}},
                        {"metadatas", {json::array({metadata})}}});
  const auto hits = Nearest();
  ASSERT_TRUE(hits) << hits.error().Message();
  ASSERT_EQ(hits->size(), 1u);
  EXPECT_EQ(hits->front().cosine, 0.5f);
}

TEST_F(ChromaHostile, VectorsOfAWrongSizeAreCorrupt) {
  for (const json& vector : {json::array(), json::array({1, 0, 0}), json::array({1, 0, 0, 0, 0}),
                             json(nullptr), json::array({1, 0, 0, "x"}),
                             json::array({1, 0, 0, nullptr}), json::array({1, 0, 0, 1e200})}) {
    AnswerJson("/get", {{"ids", {"0000000000000001"}}, {"embeddings", json::array({vector})}});
    const auto vectors = store_->Vectors("notes", std::vector<UnitId>{UnitId(1)}, In(5000));
    ASSERT_FALSE(vectors) << vector.dump();
    EXPECT_EQ(vectors.error().kind, ErrorKind::kCorrupt) << vector.dump();
  }
  AnswerJson("/get", {{"ids", {"0000000000000002"}}, {"embeddings", json::array({{1, 0, 0, 0}})}});
  EXPECT_EQ(store_->Vectors("notes", std::vector<UnitId>{UnitId(1)}, In(5000)).error().kind,
            ErrorKind::kCorrupt)
      << "a vector that was not asked for";
}

TEST_F(ChromaHostile, HtmlAndGarbageAreCorrupt) {
  for (const char* body : {"<!DOCTYPE html><html><body>It works!</body></html>", "", "{\"ids\": [[",
                           "\xFF\xFE\x01", "[1e999]", "{}{}"}) {
    Answer("/query", HttpReply("200 OK", body));
    const auto hits = Nearest();
    ASSERT_FALSE(hits) << body;
    EXPECT_EQ(hits.error().kind, ErrorKind::kCorrupt) << body;
    EXPECT_EQ(hits.error().Message().find('\xFF'), std::string::npos);
  }
  Answer("/query", HttpReply("502 Bad Gateway", "<html>nginx</html>"));
  const auto hits = Nearest();
  EXPECT_EQ(hits.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(hits.error().Message().find("HTML"), std::string::npos) << hits.error().Message();
}

TEST_F(ChromaHostile, HalfAReplyIsUnavailable) {
  for (const char* bytes :
       {"", "HT", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ids\":",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"ids\""}) {
    Answer("/query", bytes);
    const auto hits = Nearest();
    ASSERT_FALSE(hits) << bytes;
    EXPECT_EQ(hits.error().kind, ErrorKind::kUnavailable) << bytes;
  }
}

TEST_F(ChromaHostile, AnEndlessReplyIsCutOff) {
  Answer("/query", [](int fd, const RawRequest&) {
    if (!WriteAll(fd, "HTTP/1.1 200 OK\r\n\r\n[")) return;
    while (WriteAll(fd, std::string(65536, ' '))) {
    }
  });
  const auto hits = Nearest(20000);
  ASSERT_FALSE(hits);
  EXPECT_EQ(hits.error().kind, ErrorKind::kCorrupt);
  EXPECT_NE(hits.error().Message().find("MiB"), std::string::npos);
}

// Each byte comes in time, the reply does not: in the status line, the headers, and the body.
TEST_F(ChromaHostile, TheDeadlineHoldsAgainstBytesThatDrip) {
  for (const std::string start : {"", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\n\r\n["}) {
    Answer("/query", [start](int fd, const RawRequest&) {
      bool open = WriteAll(fd, start);
      while (open) {
        std::this_thread::sleep_for(milliseconds(20));
        open = WriteAll(fd, " ");
      }
    });
    const auto begin = steady_clock::now();
    const auto hits = Nearest(150);
    const auto took = steady_clock::now() - begin;
    ASSERT_FALSE(hits);
    EXPECT_EQ(hits.error().kind, ErrorKind::kUnavailable);
    EXPECT_GE(took, milliseconds(140));
    EXPECT_LT(took, milliseconds(2000)) << start;
  }
}

// Chroma and proxies hang up while the rest of a body that is too long still comes.
TEST_F(ChromaHostile, BatchesShrinkToWhatTheServerTakes) {
  std::set<std::string> ids;
  Answer("/upsert", [&](int fd, const RawRequest& request) {
    const json body = json::parse(request.body);
    for (const json& id : body["ids"]) ids.insert(id.get<std::string>());
    WriteAll(fd, HttpReply("200 OK", "{}"));
  });
  server_.RefuseAbove(100000);
  std::vector<RemoteUnit> units = Units(200);
  for (RemoteUnit& unit : units) unit.text = std::string(16000, 'x');
  const auto written = store_->Upsert("notes", units);
  ASSERT_TRUE(written) << written.error().Message();
  EXPECT_EQ(ids.size(), 200u);
  // One that is too long by itself cannot be split.
  units.resize(1);
  units[0].text = std::string(200000, 'x');
  const auto refused = store_->Upsert("notes", units);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kLimit);
}

TEST_F(ChromaHostile, TheTokenIsSentAndNeverRepeated) {
  std::string head;
  Answer("/upsert", [&head](int fd, const RawRequest& request) {
    head = request.head;
    WriteAll(fd, HttpReply("401 Unauthorized", R"({"message":"Bearer hunter2hunter2 is wrong"})"));
  });
  RemoteOptions options;
  options.password = "hunter2hunter2";
  OpenWith(options);
  const auto written = store_->Upsert("notes", Units(1));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kDenied);
  EXPECT_NE(head.find("Authorization: Bearer hunter2hunter2"), std::string::npos) << head;
  EXPECT_NE(head.find("X-Chroma-Token: hunter2hunter2"), std::string::npos) << head;
  EXPECT_EQ(written.error().Message().find("hunter2"), std::string::npos)
      << written.error().Message();
}

TEST(ChromaToken, ThatNoHeaderCarriesIsRefusedUnseen) {
  RemoteOptions options;
  options.password = "hunter2\r\nX-Evil: 1";
  const auto store = OpenChromaStore("chroma:http://127.0.0.1:8000", options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(store.error().Message().find("hunter2"), std::string::npos);
}

TEST_F(ChromaHostile, ACollectionOfADamagedShapeIsCorrupt) {
  std::vector<json> damaged;
  for (const char* key : {"name", "id", "metadata", "configuration_json"}) {
    damaged.push_back(TheCollection());
    damaged.back().erase(key);
  }
  for (const char* key : {"stream", "tokenizer", "embedder", "width", "cutter"}) {
    damaged.push_back(TheCollection());
    damaged.back()["metadata"][key] = json::array();
  }
  damaged.push_back(TheCollection());
  damaged.back()["id"] = "x/../../y\r\nX: y";
  damaged.push_back(TheCollection());
  damaged.back()["metadata"]["width"] = int64_t{1} << 40;
  damaged.push_back(TheCollection());
  damaged.back()["metadata"]["stream_b64"] = "!";
  for (const json& collection : damaged) {
    AnswerJson("/collections/" + CollectionName("notes"), collection);
    const auto opened = store_->OpenStream(TheStream());
    ASSERT_FALSE(opened) << collection.dump();
    EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt) << collection.dump();
  }
}

TEST_F(ChromaHostile, IdsThatComeRoundAgainEnd) {
  json page = json::array();
  for (int i = 0; i < 10000; ++i) page.push_back(std::string(15, '0') + "1");
  AnswerJson("/get", {{"ids", page}});
  const auto ids = store_->Ids("notes");
  ASSERT_FALSE(ids);
  EXPECT_EQ(ids.error().kind, ErrorKind::kCorrupt);
}

TEST_F(ChromaHostile, ManyUnitsAreSentInSmallBatches) {
  std::vector<size_t> records, bytes;
  Answer("/upsert", [&](int fd, const RawRequest& request) {
    records.push_back(json::parse(request.body)["ids"].size());
    bytes.push_back(request.body.size());
    WriteAll(fd, HttpReply("200 OK", "{}"));
  });
  ASSERT_TRUE(store_->Upsert("notes", Units(600)));
  EXPECT_EQ(records, (std::vector<size_t>{256, 256, 88}));
  records.clear();
  bytes.clear();
  std::vector<RemoteUnit> large = Units(9);
  for (RemoteUnit& unit : large) unit.text = std::string(size_t{1} << 20, 'x');
  ASSERT_TRUE(store_->Upsert("notes", large));
  size_t n = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    n += records[i];
    EXPECT_LE(bytes[i], size_t{4} << 20);
  }
  EXPECT_EQ(n, 9u);
}

}  // namespace
}  // namespace anabranch
