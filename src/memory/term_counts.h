// In how many units of a stream a word is. To write each new unit's words would touch most pages of
// a table that is sorted by word, so they are counted in RAM and written every few thousand units;
// what was not is counted again when the stream is opened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "memory/sqlite_db.h"

namespace anabranch {

// Invariant: units whose text begins before the stream's counted_text are in the table term_df, all
// others in pending_.
class TermCounts {
 public:
  TermCounts(Database* db, int64_t stream) : db_(db), stream_(stream) {}

  // Counts the units of the store that are not in the table.
  Result<void> Load();
  // A unit with this text was added behind all others.
  void Add(std::string_view text);
  Result<int64_t> Frequency(const std::string& word) const;
  Result<int64_t> CountedText() const;
  // Write, if enough has come together for it, in a transaction.
  Result<void> WriteIfMany();
  // Writes what is pending. Call within a transaction.
  Result<void> Write();

 private:
  Database* db_;
  int64_t stream_;
  int64_t n_pending_ = 0;  // units
  std::unordered_map<std::string, int64_t> pending_;
};

}  // namespace anabranch
