#include "cli/option_types.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace anabranch::cli {
namespace {

// The number that the whole text is, or nothing.
template <typename Number>
std::optional<Number> Whole(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const char* const end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return {};
  return value;
}

std::string Quoted(std::string_view text) {
  return text.size() <= 40 ? fmt::format("'{}'", text) : fmt::format("'{}...'", text.substr(0, 40));
}

template <typename Target>
CLI::Option* AddSwitchTo(CLI::App& app, std::string_view names, Target& target,
                         const std::string& help) {
  const auto set = [&target](const std::string& text) -> Result<void> {
    Result<bool> value = ParseSwitch(text);
    if (!value) return tl::unexpected(value.error());
    target = *value;
    return {};
  };
  return AddParsed(app, names, "", set, help)->expected(0);
}

}  // namespace

Result<int64_t> ParseInteger(std::string_view text, int64_t low, int64_t high) {
  const std::optional<int64_t> value = Whole<int64_t>(text);
  if (value && low <= *value && *value <= high) return *value;
  return Fail(ErrorKind::kInvalid, "",
              high == kMaxInt64
                  ? fmt::format("{} is not a whole number of at least {}", Quoted(text), low)
                  : fmt::format("{} is not a whole number from {} to {}", Quoted(text), low, high));
}

Result<double> ParseNumber(std::string_view text, double low, double high) {
  const std::optional<double> value = Whole<double>(text);
  if (value && low <= *value && *value <= high) return *value;  // false for NaN
  return Fail(ErrorKind::kInvalid, "",
              fmt::format("{} is not a number from {} to {}", Quoted(text), low, high));
}

Result<bool> ParseSwitch(std::string_view text) {
  const std::string word = CLI::detail::to_lower(std::string(text));
  for (const char* yes : {"true", "on", "yes", "1"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"false", "off", "no", "0"}) {
    if (word == no) return false;
  }
  return Fail(ErrorKind::kInvalid, "", fmt::format("{} is neither true nor false", Quoted(text)));
}

bool TakesValue(const CLI::Option& option) { return option.get_expected_max() != 0; }

std::string WithUnderscores(std::string_view names) {
  std::string all(names);
  size_t begin = 0;
  while (begin < names.size()) {
    const size_t end = std::min(names.find(',', begin), names.size());
    std::string name(names.substr(begin, end - begin));
    begin = end + 1;
    if (!name.starts_with("--") || name.find('-', 2) == std::string::npos) continue;
    std::replace(name.begin() + 2, name.end(), '-', '_');
    all += "," + name;
  }
  return all;
}

CLI::Option* AddParsed(CLI::App& app, std::string_view names, const std::string& type,
                       const std::function<Result<void>(const std::string&)>& set,
                       const std::string& help) {
  const std::string all = WithUnderscores(names);
  const std::string shown(names.substr(names.find("--")));
  const std::string name = shown.substr(0, shown.find(','));
  const std::function<void(const std::string&)> parse = [set, name](const std::string& text) {
    const Result<void> done = set(text);
    if (!done) throw CLI::ValidationError(name, done.error().fault);
  };
  return app.add_option_function<std::string>(all, parse, help)
      ->type_name(type)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::Option* AddText(CLI::App& app, std::string_view names, std::string& target,
                     const std::string& help) {
  const auto set = [&target](const std::string& text) -> Result<void> {
    target = text;
    return {};
  };
  return AddParsed(app, names, "TEXT", set, help);
}

CLI::Option* AddText(CLI::App& app, std::string_view names, std::optional<std::string>& target,
                     const std::string& help) {
  const auto set = [&target](const std::string& text) -> Result<void> {
    target = text;
    return {};
  };
  return AddParsed(app, names, "TEXT", set, help);
}

CLI::Option* AddChoice(CLI::App& app, std::string_view names, std::string& target,
                       const std::vector<std::string>& choices, const std::string& help) {
  const auto set = [&target, choices](const std::string& text) -> Result<void> {
    if (std::ranges::find(choices, text) == choices.end()) {
      return Fail(ErrorKind::kInvalid, "",
                  fmt::format("{} is none of {}", Quoted(text), fmt::join(choices, ", ")));
    }
    target = text;
    return {};
  };
  return AddParsed(app, names, fmt::format("{}", fmt::join(choices, "|")), set, help);
}

CLI::Option* AddSwitch(CLI::App& app, std::string_view names, bool& target,
                       const std::string& help) {
  return AddSwitchTo(app, names, target, help);
}

CLI::Option* AddSwitch(CLI::App& app, std::string_view names, std::optional<bool>& target,
                       const std::string& help) {
  return AddSwitchTo(app, names, target, help);
}

CLI::Option* AddWords(CLI::App& app, const std::string& name, std::vector<std::string>& target,
                      const std::string& help) {
  // CLI11 reads "[a,b]" as a list where it takes words beyond the number that it expects; so it
  // expects more than any command line holds.
  constexpr int kManyWords = 1 << 28;
  const CLI::callback_t take = [&target](const std::vector<std::string>& words) {
    target = words;
    return true;
  };
  return app.add_option(name, take, help)
      ->type_name("TEXT")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(kManyWords, CLI::detail::expected_max_vector_size);
}

}  // namespace anabranch::cli
