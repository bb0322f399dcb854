// How options are declared: every long name also with underscores, numbers parsed strictly.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/result.h"

namespace anabranch::cli {

inline constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

// The whole text as a number in [low, high]; the fault names both. NaN is none.
Result<int64_t> ParseInteger(std::string_view text, int64_t low, int64_t high);
Result<double> ParseNumber(std::string_view text, double low, double high);
// true, on, yes, 1 or false, off, no, 0, in any case.
Result<bool> ParseSwitch(std::string_view text);

// False for a switch.
bool TakesValue(const CLI::Option& option);

// "-m,--model,--model-name-or-path" with "--model_name_or_path" as well.
std::string WithUnderscores(std::string_view names);

// Each declares an option of `app`; of several values the last one counts. What is given is written
// to `target`, which must outlive the app. A value that does not parse is a CLI::ValidationError.
CLI::Option* AddText(CLI::App& app, std::string_view names, std::string& target,
                     const std::string& help);
CLI::Option* AddText(CLI::App& app, std::string_view names, std::optional<std::string>& target,
                     const std::string& help);
// A text out of `choices`.
CLI::Option* AddChoice(CLI::App& app, std::string_view names, std::string& target,
                       const std::vector<std::string>& choices, const std::string& help);
// true; "=false" makes it false.
CLI::Option* AddSwitch(CLI::App& app, std::string_view names, bool& target,
                       const std::string& help);
CLI::Option* AddSwitch(CLI::App& app, std::string_view names, std::optional<bool>& target,
                       const std::string& help);

// A positional of any number of words, taken as they are.
CLI::Option* AddWords(CLI::App& app, const std::string& name, std::vector<std::string>& target,
                      const std::string& help);

// The parts of AddInteger and AddNumber that need no template.
CLI::Option* AddParsed(CLI::App& app, std::string_view names, const std::string& type,
                       const std::function<Result<void>(const std::string&)>& set,
                       const std::string& help);

// `Target` is an integer, or an optional one.
template <typename Target>
CLI::Option* AddInteger(CLI::App& app, std::string_view names, Target& target, int64_t low,
                        int64_t high, const std::string& help) {
  const auto set = [&target, low, high](const std::string& text) -> Result<void> {
    Result<int64_t> value = ParseInteger(text, low, high);
    if (!value) return tl::unexpected(value.error());
    if constexpr (requires { typename Target::value_type; }) {
      target = static_cast<typename Target::value_type>(*value);
    } else {
      target = static_cast<Target>(*value);
    }
    return {};
  };
  return AddParsed(app, names, "N", set, help);
}

// `Target` is a float, or an optional one.
template <typename Target>
CLI::Option* AddNumber(CLI::App& app, std::string_view names, Target& target, double low,
                       double high, const std::string& help) {
  const auto set = [&target, low, high](const std::string& text) -> Result<void> {
    Result<double> value = ParseNumber(text, low, high);
    if (!value) return tl::unexpected(value.error());
    target = static_cast<float>(*value);
    return {};
  };
  return AddParsed(app, names, "X", set, help);
}

}  // namespace anabranch::cli
