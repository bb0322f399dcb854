#include "memory/unit_store.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "memory/schema.h"

namespace anabranch {
namespace {

constexpr int32_t kWidth = 4;

// A store with streams 1 and 2.
std::unique_ptr<Database> TwoStreams() {
  auto db = OpenStore(":memory:", "the file").value();
  EXPECT_TRUE(
      db->Exec("INSERT INTO stream(id, name, tokenizer) VALUES(1, 'a', 't'), (2, 'b', 't')"));
  return db;
}

UnitRow UnitAt(int64_t text) {
  UnitRow unit;
  unit.text_begin = text;
  unit.text_end = text + 10;
  unit.span = {StreamPos(text), StreamPos(text + 10)};
  return unit;
}

TEST(UnitStore, TheWordsOfAnotherStreamAreOtherWords) {
  const auto db = TwoStreams();
  UnitStore a(db.get(), 1, "a"), b(db.get(), 2, "b");
  const std::array<float, kWidth> vector = {1, 0, 0, 0};
  for (int64_t i = 0; i < 20; ++i) {
    UnitRow unit = UnitAt(10 * i);
    ASSERT_TRUE(a.Insert(&unit, vector, "bridge"));
  }
  UnitRow unit = UnitAt(0);
  ASSERT_TRUE(b.Insert(&unit, vector, "bridge river"));
  EXPECT_EQ(b.Holding("bridge").value(), std::vector<int64_t>{unit.key});
  EXPECT_EQ(a.Holding("bridge").value().size(), 20u);
  EXPECT_TRUE(a.Holding("river").value().empty());
}

TEST(UnitStore, AVectorThatIsNoneOfUnitLengthIsRefused) {
  for (const float part :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 1e30f}) {
    const auto db = TwoStreams();
    UnitStore store(db.get(), 1, "a");
    UnitRow unit = UnitAt(70);
    ASSERT_TRUE(store.Insert(&unit, std::array<float, kWidth>{0, part, 0, 0}, "bridge"));
    std::array<float, kWidth> read;
    const auto loaded = store.ReadVector(unit, read);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(loaded.error().what, "the file");
    EXPECT_NE(loaded.error().fault.find("unit at text 70"), std::string::npos);
  }
}

TEST(UnitStore, NullScoresThatAreNoNumbersCountAsNeverSet) {
  const auto db = TwoStreams();
  UnitStore store(db.get(), 1, "a");
  ASSERT_TRUE(store.SetIndexed(0, std::array<float, 2>{0.5f, -1.0f}));
  EXPECT_EQ(store.NullScores().value(), (std::vector<float>{0.5f, -1.0f}));
  ASSERT_TRUE(
      store.SetIndexed(0, std::array<float, 2>{0.5f, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_TRUE(store.NullScores().value().empty());
}

}  // namespace
}  // namespace anabranch
