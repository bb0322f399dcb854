#include "cli/json_output.h"

#include <nlohmann/json.hpp>

#include "cli/time_format.h"

namespace anabranch::cli {
namespace {

const char* StopName(StopReason stop) {
  switch (stop) {
    case StopReason::kEos:
      return "eos";
    case StopReason::kLength:
      return "length";
    case StopReason::kInterrupt:
      return "interrupt";
    case StopReason::kError:
      return "error";
  }
  return "unknown";
}

}  // namespace

std::string JsonLine(const OrderedJson& object) {
  return object.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

const char* DecisionName(RecallDecision decision) {
  switch (decision) {
    case RecallDecision::kUsed:
      return "used";
    case RecallDecision::kNone:
      return "none";
    case RecallDecision::kBelowThreshold:
      return "below_threshold";
    case RecallDecision::kOff:
      return "off";
    case RecallDecision::kDegraded:
      return "degraded";
  }
  return "unknown";
}

OrderedJson PassageJson(const Passage& passage) {
  OrderedJson object = {{"stream", passage.stream},
                        {"begin", passage.span.begin.value()},
                        {"end", passage.span.end.value()},
                        {"role", RoleName(passage.role)},
                        {"time", FormatTime(passage.time_ms)},
                        {"score", passage.score},
                        {"lexical", passage.lexical},
                        {"text", passage.text}};
  if (!passage.source.empty()) object["source"] = passage.source;
  return object;
}

std::string SaidBy(const Passage& passage) {
  return passage.source.empty() ? RoleName(passage.role) : passage.source;
}

OrderedJson TurnJson(const Answer& answer, std::string_view user) {
  OrderedJson recalled = OrderedJson::array();
  if (answer.recall.decision == RecallDecision::kUsed) {
    for (const Passage& passage : answer.recall.passages) recalled.push_back(PassageJson(passage));
  }
  OrderedJson turn = {
      {"type", "turn"},
      {"turn", answer.turn},
      {"user", user},
      {"answer", answer.text},
      {"stop", StopName(answer.stop)},
      {"recall", DecisionName(answer.recall.decision)},
      {"recalled", std::move(recalled)},
      {"prompt_tokens", answer.prompt_tokens},
      {"recalled_tokens", answer.recalled_tokens},
      {"answer_tokens", answer.answer_tokens},
      {"evicted_tokens", answer.evicted_tokens},
      {"window", {answer.window.begin.value(), answer.window.end.value()}},
      {"prefill_ms", answer.prefill_ms},
      {"decode_ms", answer.decode_ms},
      {"recall_ms", answer.recall_ms},
  };
  if (!answer.recall.fault.empty()) turn["recall_fault"] = answer.recall.fault;
  return turn;
}

OrderedJson RememberedJson(const std::string& stream, StreamPos end, StreamPos indexed) {
  return {{"type", "remembered"},
          {"stream", stream},
          {"end", end.value()},
          {"indexed", indexed.value()}};
}

OrderedJson ErrorJson(const Error& error) {
  return {
      {"type", "error"}, {"what", error.what}, {"fault", error.fault}, {"remedy", error.remedy}};
}

OrderedJson SummaryJson(const Summary& summary) {
  return {{"type", "summary"},
          {"tokens", summary.stats.tokens},
          {"evicted", summary.stats.evicted},
          {"lost", summary.stats.lost},
          {"turns", summary.stats.turns},
          {"answers", summary.answers},
          {"peak_rss_bytes", summary.peak_rss_bytes},
          {"kv_bytes", summary.plan.kv_bytes},
          {"memory_disk_bytes", summary.stats.memory_disk_bytes},
          {"load_ms", summary.model.load_ms},
          {"total_ms", summary.total_ms},
          {"model", summary.model.name},
          {"kernels", summary.model.kernels},
          {"threads", summary.model.n_threads},
          {"pinned", summary.plan.n_pinned},
          {"recent_size", summary.plan.recent_size},
          {"seed", summary.seed}};
}

}  // namespace anabranch::cli
