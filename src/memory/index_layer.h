// What recall looks at: the index of a stream, of the streams that it is a fork of, and the tail
// that is not indexed yet, as one list of units.
#pragma once

#include <string>
#include <vector>

#include "memory/journal_store.h"
#include "memory/unit_store.h"
#include "memory/unit_table.h"

namespace anabranch {

// The journal and index of one stream or fork, from a text coordinate on.
struct IndexLayer {
  IndexLayer(Database* db, int64_t stream, const std::string& name, int32_t width)
      : journal(db, stream), units(db, stream, name), table(width) {}

  JournalStore journal;
  UnitStore units;
  UnitTable table;         // the units of the store, in RAM
  int64_t text_begin = 0;  // what is before belongs to the layer below
};

// Units in stream order: those of the layers, the oldest first, then the tail's. Only a view.
class UnitView {
 public:
  UnitView(std::vector<const IndexLayer*> layers, const UnitTable* tail);

  int64_t size() const { return first_.back(); }
  const UnitRow& row(int64_t i) const;
  std::span<const float> vector(int64_t i) const;
  // Scores of all units with a query.
  std::vector<float> Scores(const ScanFn& scan, std::span<const float> query) const;
  // Units that hold a word. Of a word that more than a quarter of many units hold, some.
  Result<std::vector<int64_t>> Holding(const std::string& word) const;
  // Text by coordinates.
  Result<std::string> Text(int64_t begin, int64_t end) const;
  // The text of a unit as far as its tokens before `end` hold it, in whole characters. Error
  // kCorrupt: the journal does not have it.
  Result<std::string> TextBefore(const UnitRow& unit, StreamPos end) const;

 private:
  // The table that holds unit i.
  size_t TableOf(int64_t i) const;

  std::vector<const IndexLayer*> layers_;
  std::vector<const UnitTable*> tables_;  // of the layers and the tail
  std::vector<int64_t> first_;            // number of the first unit of each table, and size()
};

}  // namespace anabranch
