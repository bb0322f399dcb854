// What the PostgreSQL store says and does when the server refuses it, is gone, or says nothing.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "memory/pg_store_fixture.h"

namespace anabranch {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using namespace testing::postgres;
using ::testing::HasSubstr;

RemoteOptions Within(std::chrono::milliseconds timeout) {
  RemoteOptions options;
  options.timeout = timeout;
  return options;
}

// How long a call takes.
template <typename Call>
std::chrono::milliseconds Time(Call&& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

TEST(PgDenied, AWrongPasswordAndItsRemedyAreSaid) {
  const std::string location = Postgres().Location(Postgres().CreateDatabase());
  RemoteOptions options;
  options.password = "s3cret-but-wrong";
  const auto wrong = Open(location, options)->Streams();
  ASSERT_FAILS(wrong, kDenied);
  EXPECT_THAT(wrong.error().Message(), HasSubstr("ANABRANCH_MEMORY_PASSWORD"));
  const auto none = (*OpenPostgresStore(location, {}))->Streams();
  ASSERT_FAILS(none, kDenied);
  EXPECT_THAT(none.error().Message(), HasSubstr("asks for a password"));
  ASSERT_FAILS(Open(Postgres().Location("memory1", "stranger"))->Streams(), kDenied);
  ASSERT_FAILS(Open(Postgres().Location("nowhere"))->Streams(), kDenied);
}

TEST(PgDenied, AUserWithoutRightsIsTold) {
  const std::string database = Postgres().CreateDatabase();
  Postgres().Sql("postgres", "ALTER DATABASE " + database + " OWNER TO admin");
  ASSERT_FAILS(Open(Postgres().Location(database))->OpenStream(Info("s")), kDenied);
  // An administrator may make the schema.
  Postgres().Sql(database, "CREATE SCHEMA anabranch AUTHORIZATION keeper");
  ASSERT_OK(Open(Postgres().Location(database))->OpenStream(Info("s")));
  ASSERT_OK(Open(Postgres().Location(database, PostgresServer::kAdmin))->OpenStream(Info("s")));
}

TEST(PgSchema, EightWritersAtOnceMakeOneSchemaAndOneStream) {
  const std::string database = Postgres().CreateDatabase();
  std::vector<std::thread> threads;
  std::vector<std::string> faults(8);
  for (size_t i = 0; i < faults.size(); ++i) {
    threads.emplace_back([&, i] {
      const Result<void> opened = Open(Postgres().Location(database))->OpenStream(Info("s"));
      if (!opened) faults[i] = opened.error().Message();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(faults, ::testing::Each(""));
  EXPECT_EQ(Postgres().Sql(database, "SELECT count(*) FROM anabranch.stream"), "1\n");
}

TEST(PgSchema, AnotherStreamOfThatNameIsRefused) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  ASSERT_OK(store->OpenStream(Info("s")));
  ASSERT_OK(store->OpenStream(Info("s")));
  RemoteStreamInfo other = Info("s");
  other.embedder = "embedder-b";
  other.width = 384;
  auto refused = store->OpenStream(other);
  ASSERT_FAILS(refused, kInvalid);
  EXPECT_THAT(refused.error().Message(), HasSubstr("embedder-a (16 wide)"));
  EXPECT_THAT(refused.error().Message(), HasSubstr("embedder-b (384 wide)"));
  other = Info("s");
  other.tokenizer = "tokenizer-b";
  refused = store->OpenStream(other);
  ASSERT_FAILS(refused, kInvalid);
  EXPECT_THAT(refused.error().Message(), HasSubstr("tokenizer-a"));
  other = Info("s");
  other.cutter = 4;
  ASSERT_FAILS(store->OpenStream(other), kInvalid);
  other = Info("t");
  other.width = 0;
  ASSERT_FAILS(store->OpenStream(other), kInvalid);
  other.width = 384;  // streams of other embedders live beside each other
  ASSERT_OK(store->OpenStream(other));
}

TEST(PgSchema, RefusesAndLeavesWhatItDoesNotKnow) {
  const std::string newer = Postgres().CreateDatabase();
  ASSERT_OK(Open(Postgres().Location(newer))->OpenStream(Info("s")));
  Postgres().Sql(newer, "UPDATE anabranch.meta SET value = '99'");
  const auto refused = Open(Postgres().Location(newer))->OpenStream(Info("s"));
  ASSERT_FAILS(refused, kUnsupported);
  EXPECT_THAT(refused.error().Message(), HasSubstr("version 99"));
  ASSERT_FAILS(Open(Postgres().Location(newer))->Ids("s"), kUnsupported);
  Postgres().Sql(newer, "UPDATE anabranch.meta SET value = 'soon'");
  ASSERT_FAILS(Open(Postgres().Location(newer))->Streams(), kCorrupt);

  const std::string foreign = Postgres().CreateDatabase();
  Postgres().Sql(foreign,
                 "CREATE SCHEMA anabranch; CREATE TABLE anabranch.rivers (name text);"
                 "GRANT ALL ON SCHEMA anabranch TO keeper");
  ASSERT_FAILS(Open(Postgres().Location(foreign))->OpenStream(Info("s")), kCorrupt);
  EXPECT_EQ(Postgres().Sql(foreign,
                           "SELECT relname FROM pg_class WHERE relnamespace = "
                           "'anabranch'::regnamespace"),
            "rivers\n");

  const std::string damaged = Postgres().CreateDatabase();
  const auto store = Open(Postgres().Location(damaged));
  ASSERT_OK(store->OpenStream(Info("s")));
  Postgres().Sql(damaged, "DROP TABLE anabranch.record");
  ASSERT_FAILS(store->Records("s", StreamPos(0), nullptr), kCorrupt);
}

TEST(PgSchema, SaysHowToGetTheExtensionAndTheEncoding) {
  const auto refused =
      Open(Postgres().Location(Postgres().CreateDatabase(/*with_vector=*/false)))->Streams();
  ASSERT_FAILS(refused, kUnsupported);
  EXPECT_THAT(refused.error().Message(), HasSubstr("CREATE EXTENSION vector"));
  Postgres().Sql("postgres",
                 "CREATE DATABASE latin OWNER keeper ENCODING 'LATIN1' LOCALE 'C' "
                 "TEMPLATE template0");
  const auto latin = Open(Postgres().Location("latin"))->Streams();
  ASSERT_FAILS(latin, kUnsupported);
  EXPECT_THAT(latin.error().Message(), HasSubstr("UTF8"));
}

TEST(PgSchema, TheExtensionMayBeInAnySchema) {
  const std::string database = Postgres().CreateDatabase(/*with_vector=*/false);
  Postgres().Sql(database,
                 "CREATE SCHEMA \"Odd ones\"; CREATE EXTENSION vector SCHEMA \"Odd ones\";"
                 "GRANT USAGE ON SCHEMA \"Odd ones\" TO keeper");
  const auto store = Open(Postgres().Location(database));
  std::mt19937 random(1);
  ASSERT_OK(store->OpenStream(Info("s")));
  ASSERT_OK(store->Upsert("s", std::vector<RemoteUnit>{Unit(1, &random)}));
  const auto hits = store->Nearest("s", RandomVector(&random), 1, {false, kEnd}, In(10s));
  ASSERT_OK(hits);
  EXPECT_EQ(hits->size(), 1u);
}

TEST(PgInvalid, WhatTheServerRefusesBlocksNothingElse) {
  const auto store = Open(Postgres().Location(Postgres().CreateDatabase()));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(1);
  std::vector<RemoteUnit> units = {Unit(1, &random), Unit(2, &random)};
  units[1].vector[3] = std::nanf("");
  ASSERT_FAILS(store->Upsert("s", units), kInvalid);
  units[1].vector.resize(kWidth - 1);
  ASSERT_FAILS(store->Upsert("s", units), kInvalid);
  ASSERT_FAILS(store->Nearest("s", units[1].vector, 1, {false, kEnd}, In(10s)), kInvalid);
  EXPECT_TRUE(store->Ids("s")->empty());  // all are written, or an error
  ASSERT_OK(store->Upsert("s", {units.data(), 1}));
  ASSERT_FAILS(store->Upsert("unknown", {units.data(), 1}), kNotFound);
  EXPECT_TRUE(store->Vectors("s", {}, In(10s))->empty());
  EXPECT_TRUE(store->Nearest("s", units[0].vector, 0, {false, kEnd}, In(10s))->empty());
}

TEST(PgOutage, AServerThatIsGoneAndComesBackIsUsedAgain) {
  const std::string database = Postgres().CreateDatabase();
  const auto store = Open(Postgres().Location(database));
  const auto over_socket = Open(Postgres().SocketLocation(database));
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(1);
  const std::vector<RemoteUnit> units = {Unit(1, &random)};
  ASSERT_OK(over_socket->Upsert("s", units));
  Postgres().Stop(SIGINT);
  ASSERT_FAILS(store->Upsert("s", units), kUnavailable);
  ASSERT_FAILS(store->Upsert("s", units), kUnavailable);
  ASSERT_FAILS(over_socket->Ids("s"), kUnavailable);
  ASSERT_FAILS(store->Nearest("s", units[0].vector, 1, {false, kEnd}, In(2s)), kUnavailable);
  Postgres().Start();
  ASSERT_OK(store->Upsert("s", units));
  EXPECT_EQ(store->Ids("s")->size(), 1u);
  Postgres().Stop(SIGINT);
  Postgres().Start();
  EXPECT_EQ(over_socket->Ids("s")->size(), 1u);  // it never saw that the server was away
}

// A paused server would keep us for ever: what a busy machine adds to a deadline is little to that.
constexpr std::chrono::milliseconds kBusyMachine(3000);

TEST(PgOutage, AServerThatSaysNothingIsLeftInTime) {
  const std::string location = Postgres().Location(Postgres().CreateDatabase());
  const auto store = Open(location);
  ASSERT_OK(store->OpenStream(Info("s")));
  std::mt19937 random(1);
  std::vector<RemoteUnit> units;
  for (uint64_t i = 0; i < 5000; ++i) units.push_back(Unit(i, &random, std::string(2000, 'x')));
  ASSERT_OK(store->Upsert("s", {units.data(), 100}));
  const auto writer = Open(location, Within(4000ms));
  ASSERT_OK(writer->Ids("s"));
  Postgres().Pause();
  const std::vector<UnitId> ids = {UnitId(1)};
  // On a connection that was there, with a deadline of its own; then on a new one.
  for (int i = 0; i < 2; ++i) {
    EXPECT_LT(Time([&] {
                ASSERT_FAILS(store->Nearest("s", units[0].vector, 1, {false, kEnd}, In(200ms)),
                             kUnavailable);
              }),
              200ms + kBusyMachine);
    EXPECT_LT(Time([&] { ASSERT_FAILS(store->Vectors("s", ids, In(200ms)), kUnavailable); }),
              200ms + kBusyMachine);
  }
  // More than the socket takes.
  EXPECT_LT(Time([&] { ASSERT_FAILS(writer->Upsert("s", units), kUnavailable); }),
            4000ms + kBusyMachine);
  Postgres().Resume();
  ASSERT_OK(store->Nearest("s", units[0].vector, 1, {false, kEnd}, In(10s)));
  ASSERT_OK(writer->Ids("s"));
}

TEST(PgOutage, ATableThatIsLockedIsLeftInTime) {
  const std::string database = Postgres().CreateDatabase();
  const auto store = Open(Postgres().Location(database), Within(2000ms));
  ASSERT_OK(Open(Postgres().Location(database))->OpenStream(Info("s")));
  std::mt19937 random(1);
  const std::vector<RemoteUnit> units = {Unit(1, &random)};
  std::thread holder(
      [&] { Postgres().Sql(database, "BEGIN; LOCK TABLE anabranch.unit_1; SELECT pg_sleep(6)"); });
  const char* const locked =
      "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation "
      "= 'anabranch.unit_1'::regclass";
  while (Postgres().Sql(database, locked) == "0\n") std::this_thread::sleep_for(20ms);
  EXPECT_LT(Time([&] { ASSERT_FAILS(store->Upsert("s", units), kUnavailable); }),
            2000ms + kBusyMachine);
  holder.join();
  ASSERT_OK(store->Upsert("s", units));
}

// A server of another kind: it answers every connection with `answer` ("": never).
class OddServer {
 public:
  explicit OddServer(std::string answer)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    location_ = "postgresql://ann@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/notes";
    if (answer.empty()) return;
    thread_ = std::thread([this, answer] {
      for (int fd = 0; (fd = accept(listener_, nullptr, nullptr)) >= 0; close(fd)) {
        char byte = 0;
        if (read(fd, &byte, 1) == 1) send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    });
  }
  ~OddServer() {
    shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    close(listener_);
  }
  const std::string& location() const { return location_; }

 private:
  int listener_;
  std::string location_;
  std::thread thread_;
};

TEST(PgOutage, WhatIsNoPostgresServerIsNamedAsSuch) {
  const OddServer web("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  ASSERT_FAILS(Open(web.location())->Streams(), kCorrupt);
  ASSERT_FAILS(Open(web.location() + "?sslmode=disable")->Streams(), kCorrupt);
  const OddServer silent("");
  EXPECT_LT(
      Time([&] { ASSERT_FAILS(Open(silent.location(), Within(300ms))->Streams(), kUnavailable); }),
      300ms + kBusyMachine);
}

TEST(PgLock, IsHeldByOneAndNamesIt) {
  const std::string database = Postgres().CreateDatabase();
  auto first = Open(Postgres().Location(database));
  const auto second = Open(Postgres().Location(database));
  ASSERT_OK(first->Lock("s"));
  ASSERT_OK(first->Lock("s"));
  const auto busy = second->Lock("s");
  ASSERT_FAILS(busy, kBusy);
  EXPECT_THAT(busy.error().Message(),
              HasSubstr("anabranch process " + std::to_string(getpid()) + " on "));
  EXPECT_THAT(busy.error().Message(), HasSubstr("from 127.0.0.1"));
  ASSERT_OK(second->Lock("t"));
  first.reset();
  for (int i = 0; i < 100 && !second->Lock("s"); ++i) std::this_thread::sleep_for(20ms);
  ASSERT_OK(second->Lock("s"));
  // Locks of one database are not those of another.
  ASSERT_OK(Open(Postgres().Location(Postgres().CreateDatabase()))->Lock("s"));
}

TEST(PgLock, IsTakenAgainAfterTheConnectionBroke) {
  const std::string database = Postgres().CreateDatabase();
  const auto first = Open(Postgres().Location(database));
  const auto second = Open(Postgres().Location(database));
  ASSERT_OK(first->OpenStream(Info("s")));
  ASSERT_OK(first->Lock("s"));
  Postgres().Stop(SIGINT);
  Postgres().Start();
  ASSERT_OK(first->Ids("s"));
  ASSERT_FAILS(second->Lock("s"), kBusy);

  // The server may still have our last session when we come again: it is not another writer.
  Postgres().Pause();
  ASSERT_FAILS(first->Nearest("s", std::vector<float>(kWidth, 0.25f), 1, {false, kEnd}, In(200ms)),
               kUnavailable);
  Postgres().Resume();
  ASSERT_OK(first->Ids("s"));
  ASSERT_FAILS(second->Lock("s"), kBusy);

  // Whoever took it in the meantime keeps it, and no call of ours succeeds without it.
  Postgres().Sql(database,
                 "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = "
                 "'advisory'");
  for (int i = 0; i < 100 && !second->Lock("s"); ++i) std::this_thread::sleep_for(10ms);
  ASSERT_OK(second->Lock("s"));
  static_cast<void>(first->Ids("s"));  // it may be the call that sees the connection break
  ASSERT_FAILS(first->Ids("s"), kBusy);
  ASSERT_FAILS(first->Ids("s"), kBusy);
}

}  // namespace
}  // namespace anabranch
