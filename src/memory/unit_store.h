// Units of one stream in the store: rows, vectors, and the index of their words.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory/sqlite_db.h"
#include "memory/unit.h"

namespace anabranch {

// The numbers of a blob.
std::vector<float> Floats(std::span<const std::byte> blob);
// True of parts of unit vectors, and of their products: numbers of about 1 at most.
bool AreCosines(std::span<const float> values);

// Columns of a row that has a unit, but for its key.
inline constexpr std::string_view kUnitColumns =
    "text_begin, text_end, \"begin\", \"end\", turn, role, question, time_ms";

// Binds them, from parameter `first` on.
void BindUnit(const UnitRow& unit, int first, Statement* statement);
// Reads them, from column `first` on. Error kCorrupt: they are of no unit.
Result<UnitRow> UnitAt(const Statement& row, int first, const Database& db);

// Adds the words of all units of the file to the index of words, which has none.
Result<void> IndexWordsOfAll(Database* db);

class UnitStore {
 public:
  UnitStore(Database* db, int64_t stream, std::string name)
      : db_(db), stream_(stream), name_(std::move(name)) {}

  // Inserts a unit with its text, which is not there yet, and sets its key. Call within a
  // transaction.
  Result<void> Insert(UnitRow* unit, std::span<const float> vector, std::string_view text);

  // All units with the codes of their vectors (EncodeVector), in stream order. Those with keys up
  // to `at_server` may have none: a server has their vectors. Error kCorrupt: one that is no code
  // of `width` numbers.
  Result<void> Load(
      int32_t width, int64_t at_server,
      const std::function<void(const UnitRow&, std::span<const std::byte>)>& visit) const;
  // The vector of a unit. Error kCorrupt: it is not there, of another width, or not AreCosines.
  Result<void> ReadVector(const UnitRow& unit, std::span<float> vector) const;
  Result<std::vector<UnitRow>> Rows() const;
  // What a server knows a unit by.
  UnitId IdOf(const UnitRow& unit) const {
    return MakeUnitId(name_, unit.text_begin, unit.text_end);
  }
  // Keys of the units that hold a word, ascending.
  Result<std::vector<int64_t>> Holding(std::string_view word) const;
  Result<void> Erase(const UnitRow& unit, std::string_view text);
  // Rewrites the word index without what was erased.
  Result<void> PurgeWords();

  Result<int64_t> IndexedText() const;
  Result<void> SetIndexed(int64_t text, std::span<const float> null_scores);
  // As they were set with it; empty: never, or damaged.
  Result<std::vector<float>> NullScores() const;

 private:
  Result<void> Count(const UnitRow& unit, std::string_view text, int64_t n);
  Failure DamagedVector(const UnitRow& unit) const;

  Database* db_;
  int64_t stream_;
  std::string name_;
};

}  // namespace anabranch
