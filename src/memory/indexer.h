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
CutRun CutRunText(const RunText& run, bool all, const EmbedderHandle& embedder);

// Settled text of a journal, cut.
struct SettledText {
  RunText run;
  CutRun cut;  // its texts are in `run`
};

// The first units at or behind the text coordinate `from` that no later text can change; cutting
// goes on from cut.next_text. False: nothing is settled there, or not yet.
Result<bool> NextSettled(const JournalStore& journal, int64_t from, const EmbedderHandle& embedder,
                         SettledText* settled);

// Vectors of many texts, kEmbedBatch at a time. Error kCorrupt: the embedder gives no AreCosines,
// which a store would refuse to load.
Result<std::vector<float>> EmbedAll(const EmbedderHandle& embedder,
                                    std::span<const std::string_view> texts);

}  // namespace anabranch
