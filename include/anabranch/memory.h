// What memory holds and gives back: passages, streams, turns. Plain data.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/result.h"
#include "anabranch/types.h"

namespace anabranch {

// True of a memory's location that names a server: then the memory has a local journal, too.
bool IsServerLocation(std::string_view location);

enum class RecallMode : uint8_t {
  kNever,
  kEvicted,  // what is still wholly in the context is not recalled
  kAlways,   // everything said, the window included
};

// Text that is handed over: a unit, with its neighbours up to chunk_size tokens.
struct Passage {
  std::string stream;
  StreamSpan span;
  int64_t turn = 0;
  Role role = Role::kUser;
  int64_t time_ms = 0;  // Unix time at which it was said
  float score = 0;      // the best cosine of its units with the queries
  float lexical = 0;    // share of the question's rare words that it holds, weighted by rarity
  std::string source;   // of a document: its name and headings, "house.md > Boiler"; else ""
  std::string text;
};

enum class RecallDecision : uint8_t {
  kUsed,            // passages were recalled
  kNone,            // nothing to recall from
  kBelowThreshold,  // nothing good enough
  kOff,             // the mode is never
  kDegraded,        // the memory failed: see the fault
};

struct RecallResult {
  RecallDecision decision = RecallDecision::kOff;
  std::vector<Passage> passages;     // in stream order
  std::vector<std::string> queries;  // what was asked of the index
  // The best score that was found, and what it had to reach: cosines where the caller names the
  // threshold; else the cosine with what rare words and the speaker add, which may exceed 1.
  float best_score = 0, threshold = 0;
  std::vector<Passage> rejected;  // of kBelowThreshold: the best that was found, for --debug
  std::string fault;              // of kDegraded
  double ms = 0;
};

struct MemoryStreamInfo {
  std::string name;
  StreamPos end, indexed;
  int64_t turns = 0, units = 0, text_bytes = 0;
  int64_t first_time_ms = 0, last_time_ms = 0;
};

struct MemoryTurn {
  std::string stream;
  int64_t turn = 0;
  Role role = Role::kUser;
  StreamSpan span;
  int64_t time_ms = 0;
  std::string text;
};

// What to forget of a stream: exactly one of the first four.
struct ForgetSelection {
  std::optional<StreamSpan> span = std::nullopt;
  std::optional<int64_t> before_ms = std::nullopt;
  std::optional<std::string> matching =
      std::nullopt;  // case-insensitive substring; the units that hold it go
  bool all = false;
  // How long erasing waits for other readers of the file, and again for the server to be told.
  int64_t timeout_ms = 5000;
};

enum class ForgetGrade : uint8_t {
  kUnreachable,  // no recall, search or retry brings it back, but files may still hold its bytes
  kErased,       // no byte of it is left in the memory's files
};

struct ForgetResult {
  int64_t units = 0, text_bytes = 0;
  std::vector<StreamSpan> spans;
  std::vector<int64_t> turns;  // that lose something, ascending in each stream
  bool done = false;           // false: a dry run
  ForgetGrade grade = ForgetGrade::kUnreachable;
  std::string erased_when;  // of kUnreachable, once done: what is still to happen, for people
};

// Lines of an export (docs/formats.md). Takes one with its end; an error ends the export.
using LineSink = std::function<Result<void>(std::string_view line)>;
// Gives the next one, without its end; nullopt: there is none.
using LineSource = std::function<Result<std::optional<std::string>>()>;

// What an import or a reindex made.
struct StreamsReport {
  std::vector<MemoryStreamInfo> streams;
  std::string behind;  // why a server does not have all of it yet; "": it has, or there is none
};

struct VerifyReport {
  bool ok = true;
  // The units were compared with what the cutter derives from the journal: that takes the
  // embedder's vocabulary.
  bool cut_checked = false;
  std::vector<MemoryStreamInfo> streams;
  std::vector<std::string> faults;
};

}  // namespace anabranch
