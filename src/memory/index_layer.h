// What recall looks at: the index of a stream, of the streams that it is a fork of, and the tail
// that is not indexed yet, as one list of units.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "memory/journal_store.h"
#include "memory/term_counts.h"
#include "memory/unit_store.h"
#include "memory/unit_table.h"

namespace anabranch {

// The journal and index of one stream or fork, from a text coordinate on.
struct IndexLayer {
  IndexLayer(Database* db, int64_t stream, const std::string& name, int32_t width)
      : journal(db, stream), units(db, stream, name), terms(db, stream), table(width) {}

  JournalStore journal;
  UnitStore units;
  TermCounts terms;
  UnitTable table;  // the units of the store, in RAM
  // Rows of the table whose vectors a server has, by what it knows them by.
  std::unordered_map<UnitId, int64_t> at_server;
  int64_t text_begin = 0;  // what is before belongs to the layer below
};

// Units of the tail that may be recalled, with their vectors [size, width].
struct TailUnits {
  explicit TailUnits(int32_t width) : table(width) {}
  UnitTable table;  // without codes
  std::vector<float> vectors;
};

// Units in stream order: those of the layers, the oldest first, then the tail's. Only a view.
class UnitView {
 public:
  UnitView(std::vector<const IndexLayer*> layers, const TailUnits* tail);

  int64_t size() const { return first_.back(); }
  const UnitRow& row(int64_t i) const;
  const std::vector<const IndexLayer*>& layers() const { return layers_; }
  const TailUnits& tail() const { return *tail_; }
  // Number of the first unit of a layer; of layers().size(): of the tail.
  int64_t first(size_t layer) const { return first_[layer]; }
  // The layer of unit i; layers().size(): the tail.
  size_t LayerOf(int64_t i) const;

  // How many units hold a word.
  Result<int64_t> Frequency(const std::string& word) const;
  // The units that hold a word, in stream order unless text was cut again.
  Result<std::vector<int64_t>> Holding(const std::string& word) const;
  // Text by coordinates.
  Result<std::string> Text(int64_t begin, int64_t end) const;
  // Of a unit of a document: its name and headings (Passage::source).
  Result<std::string> Source(const UnitRow& unit) const;
  // The text of a unit as far as its tokens before `end` hold it, in whole characters. Error
  // kCorrupt: the journal does not have it.
  Result<std::string> TextBefore(const UnitRow& unit, StreamPos end) const;

 private:
  const JournalStore& JournalOf(const UnitRow& unit) const;
  Result<std::vector<int64_t>> TailHolding(const std::string& word) const;

  std::vector<const IndexLayer*> layers_;
  const TailUnits* tail_;
  std::vector<const UnitTable*> tables_;  // of the layers and the tail
  std::vector<int64_t> first_;            // number of the first unit of each table, and size()
};

}  // namespace anabranch
