// A unit: a sentence of a stream's text, the unit of embedding and recall.
//
// Text coordinates: all text bytes of a stream are numbered in order, with one number left out
// where a turn begins, so that turns in a row read as lines of one text. A unit is a range of them;
// its stream span are the tokens that hold it, up to the next unit of its run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/types.h"

namespace anabranch {

struct UnitRow {
  int64_t key = 0;  // in the store; 0: not stored yet
  int64_t text_begin = 0, text_end = 0;
  StreamSpan span;
  int64_t turn = 0;
  int64_t time_ms = 0;
  Role role = Role::kUser;
  bool question = false;  // it only asks: it never answers a question
};

// A hash of (namespace, stream, text range, cutter version): writing a unit twice is one unit.
UnitId MakeUnitId(std::string_view stream, int64_t text_begin, int64_t text_end);

// True if `after`, the next unit in stream order, is of the same run of turns as `unit`.
inline bool SameRun(const UnitRow& unit, const UnitRow& after) {
  return unit.role == after.role && unit.span.end >= after.span.begin;
}

}  // namespace anabranch
