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

class UnitStore {
 public:
  UnitStore(Database* db, int64_t stream, std::string name)
      : db_(db), stream_(stream), name_(std::move(name)) {}

  // Inserts a unit that is not there yet, and sets its key. `words` as LexicalWords of its text.
  // Call within a transaction.
  Result<void> Insert(UnitRow* unit, std::span<const float> vector, std::string_view words);

  // All units with their vectors, in stream order. Error kCorrupt: a vector that is not `width`
  // wide, or not AreCosines.
  Result<void> Load(int32_t width,
                    const std::function<void(const UnitRow&, std::span<const float>)>& visit) const;
  Result<std::vector<UnitRow>> Rows() const;
  // Keys of the units that hold a word, at most `limit`, in no order.
  Result<std::vector<int64_t>> Holding(std::string_view word, int64_t limit) const;
  Result<void> Erase(const UnitRow& unit, std::string_view words);
  // Rewrites the word index without what was erased.
  Result<void> PurgeWords();

  Result<int64_t> IndexedText() const;
  Result<void> SetIndexed(int64_t text, std::span<const float> null_scores);
  // As they were set with it; empty: never, or damaged.
  Result<std::vector<float>> NullScores() const;

 private:
  Result<UnitRow> ReadRow(const Statement& row) const;

  Database* db_;
  int64_t stream_;
  std::string name_;
};

}  // namespace anabranch
