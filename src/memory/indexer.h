// From the journal's text to units with vectors.
#pragma once

#include <string_view>
#include <vector>

#include "memory/journal_store.h"
#include "memory/memory.h"
#include "memory/unit.h"

namespace anabranch {

struct CutRun {
  std::vector<UnitRow> units;
  std::vector<std::string_view> texts;  // of the units, in the run's text
  int64_t next_text = 0;                // coordinate that cutting goes on from
};

// Units of a run: all of it, or what is settled while the run may still grow.
CutRun CutRunText(const RunText& run, bool all, const CountPieces& count,
                  const CutOptions& sizes = {});

// Vectors of many texts, kEmbedBatch at a time. Error kCorrupt: the embedder gives no AreCosines,
// which a store would refuse to load.
Result<std::vector<float>> EmbedAll(const EmbedderHandle& embedder,
                                    std::span<const std::string_view> texts);

}  // namespace anabranch
