// The objects of --json, one a line.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "anabranch/engine.h"

namespace anabranch::cli {

using OrderedJson = nlohmann::ordered_json;

// One line with its end; what is not UTF-8 is shown as U+FFFD.
std::string JsonLine(const OrderedJson& object);

const char* DecisionName(RecallDecision decision);

OrderedJson PassageJson(const Passage& passage);
// Who says it, for people: a role, or the document that it is of.
std::string SaidBy(const Passage& passage);
// An answered turn.
OrderedJson TurnJson(const Answer& answer, std::string_view user);
// What memory has of a stream: all before `end` durable, all before `indexed` in its index.
OrderedJson RememberedJson(const std::string& stream, StreamPos end, StreamPos indexed);
OrderedJson ErrorJson(const Error& error);

// The last line of a run.
struct Summary {
  ModelInfo model;
  StreamPlan plan;
  StreamStats stats;
  int64_t answers = 0;
  uint64_t seed = 0;
  int64_t peak_rss_bytes = 0;
  double total_ms = 0;
};
OrderedJson SummaryJson(const Summary& summary);

}  // namespace anabranch::cli
