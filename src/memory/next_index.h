// A stream's next index: units and vectors that are built beside those that recall uses, and take
// their place at once. What was built outlives the process. docs/formats.md describes the tables,
// which are there only meanwhile.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "memory/indexer.h"
#include "memory/sqlite_db.h"

namespace anabranch {

// How far it is built.
struct NextState {
  int64_t indexed_text = 0;        // text coordinate before which all text is in units
  std::vector<float> null_scores;  // as stream.null_scores; empty: there are no units yet
};

class NextIndex {
 public:
  NextIndex(Database* db, int64_t stream, std::string name)
      : db_(db), stream_(stream), name_(std::move(name)) {}

  // What was built with this embedder and this program's cutter; what was built with others goes.
  Result<NextState> Begin(const EmbedderHandle& embedder);
  // Adds units that follow `before`, in one transaction. False: the stream has forgotten something
  // since, and what was built is gone: begin again.
  Result<bool> Add(const NextState& before, const CutRun& cut, std::span<const float> vectors,
                   const NextState& after);
  // Puts it in the place of the stream's index, whose units, vectors and words are gone, and drops
  // it. Call within a transaction.
  Result<void> Switch();

  // Drops what is built of a stream, if there is any: it may hold what is being forgotten. Call
  // within the transaction that forgets it.
  static Result<void> Drop(Database* db, int64_t stream);

 private:
  Database* db_;
  int64_t stream_;
  std::string name_;
};

}  // namespace anabranch
