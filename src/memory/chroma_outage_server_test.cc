// A Chroma server that stops, is killed, or has lost its files.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "memory/remote_store.h"
#include "support/chroma_server.h"

namespace anabranch {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ChromaServer;

constexpr int kWidth = 16;
const UnitFilter kAll = {false, StreamPos(int64_t{1} << 40)};

steady_clock::time_point In(int ms) { return steady_clock::now() + milliseconds(ms); }

// Unit i's vector is like no other's.
std::vector<RemoteUnit> MakeUnits(int n) {
  std::vector<RemoteUnit> units;
  for (int i = 0; i < n; ++i) {
    RemoteUnit unit;
    unit.id = UnitId(0x9E3779B97F4A7C15u * static_cast<uint64_t>(i + 1));
    unit.span = {StreamPos(i), StreamPos(i + 1)};
    unit.text = "sentence " + std::to_string(i);
    unit.vector.assign(kWidth, 0);
    for (int bit = 0; bit < kWidth; ++bit)
      unit.vector[static_cast<size_t>(bit)] = i >> bit & 1 ? 0.25f : -0.25f;
    units.push_back(std::move(unit));
  }
  return units;
}

class ChromaOutage : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Start()) << server_.Log();
    store_ = Open();
    OpenStream();
  }

  std::unique_ptr<RemoteStore> Open() {
    auto store = OpenChromaStore(server_.location(), {});
    EXPECT_TRUE(store) << store.error().Message();
    return std::move(*store);
  }
  void OpenStream() { Ok(store_->OpenStream({"notes", "tok", "emb", kWidth, 1})); }
  static void Ok(const Result<void>& done) { ASSERT_TRUE(done) << done.error().Message(); }

  // Each unit is there, once, and is found by its vector.
  Result<void> Check(const std::vector<RemoteUnit>& units) {
    std::vector<UnitId> ids;
    for (const RemoteUnit& unit : units) ids.push_back(unit.id);
    ASSIGN_OR_RETURN(const auto vectors, store_->Vectors("notes", ids, In(20000)));
    EXPECT_EQ(vectors.size(), units.size());
    std::sort(ids.begin(), ids.end());
    ASSIGN_OR_RETURN(const auto there, store_->Ids("notes"));
    EXPECT_EQ(there, ids);
    for (size_t i = 0; i < units.size(); i += 37) {
      ASSIGN_OR_RETURN(const auto hits,
                       store_->Nearest("notes", units[i].vector, 1, kAll, In(5000)));
      if (hits.empty() || hits.front().id != units[i].id) {
        return Fail(ErrorKind::kNotFound, "notes", "unit " + std::to_string(i) + " is not found");
      }
    }
    return {};
  }

  void Heal(const std::vector<RemoteUnit>& units) {
    Ok(store_->DropStream("notes"));
    OpenStream();
    Ok(store_->Upsert("notes", units));
    Ok(Check(units));
  }

  ChromaServer server_{ANABRANCH_SOURCE_DIR};
  std::unique_ptr<RemoteStore> store_;
};

TEST_F(ChromaOutage, TheDeadlineHoldsAgainstAServerThatIsStopped) {
  const std::vector<RemoteUnit> units = MakeUnits(10);
  Ok(store_->Upsert("notes", units));
  server_.Signal(SIGSTOP);
  // The second call needs a new connection: the kernel still accepts it.
  for (int i = 0; i < 2; ++i) {
    const auto begin = steady_clock::now();
    const auto hits = store_->Nearest("notes", units[0].vector, 1, kAll, In(300));
    const auto took = steady_clock::now() - begin;
    ASSERT_FALSE(hits);
    EXPECT_EQ(hits.error().kind, ErrorKind::kUnavailable);
    EXPECT_GE(took, milliseconds(290));
    EXPECT_LT(took, milliseconds(2000));
  }
  const std::vector<UnitId> ids = {units[0].id};
  EXPECT_EQ(store_->Vectors("notes", ids, In(200)).error().kind, ErrorKind::kUnavailable);
  server_.Signal(SIGCONT);
  Ok(Check(units));
}

TEST_F(ChromaOutage, AServerThatIsGoneAndComesBackGoesOn) {
  const std::vector<RemoteUnit> units = MakeUnits(300);
  Ok(store_->Upsert("notes", std::span(units).first(100)));
  server_.Stop(SIGTERM);
  for (int i = 0; i < 2; ++i) {
    const auto written = store_->Upsert("notes", units);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kUnavailable);
    EXPECT_NE(written.error().Message().find("127.0.0.1"), std::string::npos);
  }
  ASSERT_TRUE(server_.Start()) << server_.Log();
  Ok(store_->Upsert("notes", units));
  Ok(Check(units));
}

// A kill leaves now and then a collection that answers 500 for ever: then dropping it heals.
TEST_F(ChromaOutage, UpsertsRepeatedAfterAKillLeaveEachUnitOnce) {
  const std::vector<RemoteUnit> units = MakeUnits(2000);
  for (const int ms : {150, 800}) {
    std::thread killer([this, ms] {
      std::this_thread::sleep_for(milliseconds(ms));
      server_.Signal(SIGKILL);
    });
    Result<void> written;
    for (size_t i = 0; written && i < 100; ++i) {
      written = store_->Upsert("notes", std::span(units).subspan(i * 100 % units.size(), 100));
    }
    killer.join();
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kUnavailable) << written.error().Message();
    server_.Stop(SIGKILL);
    ASSERT_TRUE(server_.Start()) << server_.Log();

    written = store_->Upsert("notes", units);
    if (written) written = Check(units);
    if (!written) {
      EXPECT_EQ(written.error().kind, ErrorKind::kUnavailable) << written.error().Message();
      Heal(units);
    }
  }
}

// Chroma keeps the graph of a collection in a folder of its own, written every 1,000 records.
TEST_F(ChromaOutage, DroppingADamagedCollectionAndWritingItAgainHealsIt) {
  const std::vector<RemoteUnit> units = MakeUnits(1100);
  Ok(store_->Upsert("notes", units));
  const std::vector<std::function<void(const fs::path&)>> damages = {
      [](const fs::path& folder) { fs::resize_file(folder / "index_metadata.pickle", 10); },
      [](const fs::path& folder) { fs::remove(folder / "header.bin"); },
      [](const fs::path& folder) { fs::remove_all(folder); }};
  for (const auto& damage : damages) {
    server_.Stop(SIGKILL);
    // What a dropped collection leaves behind is older.
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(server_.folder())) {
      if (entry.is_directory() &&
          (newest.empty() || entry.last_write_time() > fs::last_write_time(newest)))
        newest = entry.path();
    }
    ASSERT_TRUE(fs::exists(newest / "header.bin")) << newest;
    damage(newest);
    ASSERT_TRUE(server_.Start()) << server_.Log();
    const auto broken = Check(units);
    ASSERT_FALSE(broken) << "the damage did none";
    EXPECT_TRUE(broken.error().kind == ErrorKind::kUnavailable ||
                broken.error().kind == ErrorKind::kNotFound)
        << broken.error().Message();
    Heal(units);
  }
}

}  // namespace
}  // namespace anabranch
