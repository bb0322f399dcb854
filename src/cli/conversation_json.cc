#include "cli/conversation_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/time_format.h"

namespace anabranch::cli {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;
constexpr size_t kMaxExcerpt = 200;  // bytes of the parser's message that are shown

// Collects turns from the parser's events, so that nothing but their text is ever stored. A
// function that returns false stops the parser.
class TurnCollector final : public nlohmann::json_sax<json> {
 public:
  explicit TurnCollector(bool is_list) : record_depth_(is_list ? 2 : 1) {}

  bool null() override { return Other("null"); }
  bool boolean(bool) override { return Other("true or false"); }
  bool number_integer(number_integer_t) override { return Other("a number"); }
  bool number_unsigned(number_unsigned_t) override { return Other("a number"); }
  bool number_float(number_float_t, const string_t&) override { return Other("a number"); }
  bool binary(binary_t&) override { return Other("binary"); }
  bool key(string_t& name) override {
    if (depth_ == record_depth_) key_ = name;
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ < record_depth_) return WrongRecord("a string");
    if (InTurns() && depth_ == record_depth_ + 1) {
      mt_bench_.push_back(std::move(value));
    } else if (depth_ == record_depth_) {
      if (key_ == "turns") return WrongType("a string");
      if (key_ == "role") role_ = std::move(value);
      if (key_ == "content") content_ = std::move(value);
      if (key_ == "time") time_ = std::move(value);
    }
    return true;
  }
  bool start_object(std::size_t) override {
    if (depth_ + 1 == record_depth_) {
      ++record_;
      key_.clear();
      role_.reset(), content_.reset(), time_.reset(), mt_bench_.clear();
      has_turns_ = false;
    } else if (!Other("an object")) {
      return false;
    }
    return Enter();
  }
  bool end_object() override { return --depth_ + 1 != record_depth_ || FinishRecord(); }
  bool start_array(std::size_t) override {
    const bool outer = depth_ == 0 && record_depth_ == 2;
    const bool turns = depth_ == record_depth_ && key_ == "turns";
    has_turns_ = has_turns_ || turns;
    if (!outer && !turns && !Other("a list")) return false;
    return Enter();
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    error_offset_ = position;
    std::string_view what = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ...": the part after it.
    if (const size_t colon = what.find(": "); colon != std::string_view::npos) {
      what.remove_prefix(colon + 2);
    }
    syntax_fault_ = what.size() <= kMaxExcerpt ? std::string(what)
                                               : std::string(what.substr(0, kMaxExcerpt)) + " ...";
    return false;
  }

  std::vector<Turn> TakeTurns() { return std::move(turns_); }
  const std::string& fault() const { return fault_; }
  const std::string& syntax_fault() const { return syntax_fault_; }
  size_t error_offset() const { return error_offset_; }
  int64_t record() const { return record_; }

 private:
  bool InTurns() const { return key_ == "turns"; }
  bool Enter() {
    if (++depth_ <= kMaxDepth) return true;
    return SetFault(fmt::format("is nested more than {} deep", kMaxDepth));
  }
  bool SetFault(std::string fault) {
    fault_ = std::move(fault);
    return false;
  }
  bool WrongType(const char* type) {
    return SetFault(fmt::format("\"{}\" is {}, not {}", key_, type,
                                key_ == "turns" ? "a list of texts" : "a text"));
  }
  bool WrongRecord(const char* type) {
    ++record_;
    return SetFault(fmt::format("is {}, not an object", type));
  }
  // A value that is no text, where it may be one.
  bool Other(const char* type) {
    if (depth_ < record_depth_) return WrongRecord(type);
    const bool in_turns = depth_ == record_depth_ + 1 && InTurns();
    const bool of_record = depth_ == record_depth_ && (key_ == "role" || key_ == "content" ||
                                                       key_ == "time" || key_ == "turns");
    return in_turns || of_record ? WrongType(type) : true;
  }
  bool AddTurn(Role role, std::string text, int64_t time_ms) {
    if (text.find('\0') != std::string::npos) return SetFault("holds a NUL character");
    turns_.push_back({.role = role, .text = std::move(text), .time_ms = time_ms});
    return true;
  }
  bool FinishRecord() {
    int64_t time_ms = 0;
    if (time_) {
      const std::optional<int64_t> parsed = ParseTime(*time_);
      if (!parsed)
        return SetFault(fmt::format("\"time\" is no ISO 8601 time: {}", Excerpt(*time_)));
      time_ms = *parsed;
    }
    if (has_turns_ && !content_) {
      for (std::string& text : mt_bench_) {
        if (!AddTurn(Role::kUser, std::move(text), time_ms)) return false;
      }
      return true;
    }
    if (!role_) return SetFault("has no \"role\"");
    if (!content_) return SetFault("has no \"content\"");
    const std::optional<Role> role = FindRole(*role_);
    if (role) return AddTurn(*role, std::move(*content_), time_ms);
    return SetFault(
        fmt::format("\"role\" is {}: known are system, user and assistant", Excerpt(*role_)));
  }
  // A string of the file as JSON: in quotes, control characters escaped.
  static std::string Excerpt(const std::string& text) {
    const std::string quoted =
        json(text.substr(0, 40)).dump(-1, ' ', false, json::error_handler_t::replace);
    return text.size() <= 40 ? quoted : quoted + " ...";
  }

  const int record_depth_;  // depth inside a record
  int depth_ = 0;
  int64_t record_ = 0;  // from 1
  std::string key_;     // of the record that is being read
  std::optional<std::string> role_, content_, time_;
  std::vector<std::string> mt_bench_;
  bool has_turns_ = false;
  std::vector<Turn> turns_;
  std::string fault_, syntax_fault_;
  size_t error_offset_ = 0;
};

}  // namespace

Result<std::vector<Turn>> ParseTurns(std::string_view json_text, const JsonPlace& place) {
  TurnCollector collector(place.is_list);
  if (json::sax_parse(json_text, &collector)) return collector.TakeTurns();

  const std::string remedy =
      place.is_list ? R"(give a JSON list of {"role": "user", "content": "..."})"
                    : R"(give one {"role": "user", "content": "..."} or {"turns": [...]} a line)";
  if (!collector.syntax_fault().empty()) {
    const size_t end = std::min(json_text.size(), collector.error_offset());
    const int64_t line =
        place.line +
        std::count(json_text.begin(), json_text.begin() + static_cast<ptrdiff_t>(end), '\n');
    return Fail(ErrorKind::kCorrupt, fmt::format("{}, line {}", place.file, line),
                collector.syntax_fault(), remedy);
  }
  const std::string where = place.is_list ? fmt::format("record {}", collector.record())
                                          : fmt::format("line {}", place.line);
  return Fail(ErrorKind::kInvalid, fmt::format("{}, {}", place.file, where), collector.fault(),
              remedy);
}

}  // namespace anabranch::cli
