// The journal: the append-only truth about a stream. Everything else in memory is an index of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "anabranch/types.h"

namespace anabranch {

// Positions, turns and text coordinates lie in [0, kMaxCoordinate): sums of two do not overflow.
constexpr int64_t kMaxCoordinate = int64_t{1} << 62;

enum class RecordKind : uint8_t {
  kText = 0,         // what a user, the system or the model said
  kTemplate = 1,     // header and footer tokens of a turn: positions, but no text
  kGap = 2,          // positions whose text is missing, for a reason that is not known (format 1)
  kLost = 3,         // the memory failed, and gave up what it had not written
  kForgotten = 4,    // it was there, and was told to go
  kInterrupted = 5,  // template: the footer of a turn whose process ended before it did
};
constexpr RecordKind kLastRecordKind = RecordKind::kInterrupted;

// Records of text that is not there: they have positions, but neither ids nor bytes.
constexpr bool IsMissing(RecordKind kind) {
  return kind == RecordKind::kGap || kind == RecordKind::kLost || kind == RecordKind::kForgotten;
}

// One committed step of a stream. Records of a stream are contiguous: begin is the last one's end.
struct JournalRecord {
  int64_t turn = 0;  // counts from 0; all records of a turn have its role
  Role role = Role::kUser;
  RecordKind kind = RecordKind::kText;
  StreamPos begin;
  std::vector<TokenId> ids;
  std::string bytes;                 // of kText: what the tokens say; empty otherwise
  std::vector<uint32_t> token_ends;  // of kText: token i ends at bytes[token_ends[i]]
  int64_t time_ms = 0;               // Unix time
  std::string source_cursor;         // where the input had been read to; free text
  StreamPos end() const { return begin + static_cast<int64_t>(ids.size()); }
};

// A record as a store has it: what is missing has no ids, only an end.
struct StoredRecord {
  JournalRecord record;
  StreamPos end;
  int64_t text_begin = 0;
  int64_t text_end() const { return text_begin + static_cast<int64_t>(record.bytes.size()); }
};

}  // namespace anabranch
