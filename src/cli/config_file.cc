#include "cli/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "cli/input.h"

namespace anabranch::cli {
namespace {

constexpr size_t kMaxConfigBytes = size_t{1} << 20;

using Values = std::map<std::string, ConfigValue>;

std::string OptionName(const toml::key& key) {
  std::string name(key.str());
  std::ranges::replace(name, '_', '-');
  return name;
}

Result<void> AddValue(const std::string& path, const toml::key& key, const toml::node& node,
                      Values* values) {
  const int line = static_cast<int>(node.source().begin.line);
  std::string text;
  if (const auto* string = node.as_string()) {
    text = string->get();
  } else if (const auto* integer = node.as_integer()) {
    text = fmt::format("{}", integer->get());
  } else if (const auto* number = node.as_floating_point()) {
    text = fmt::format("{}", number->get());
  } else if (const auto* boolean = node.as_boolean()) {
    text = boolean->get() ? "true" : "false";
  } else {
    return Fail(ErrorKind::kInvalid, fmt::format("{}, line {}", path, line),
                fmt::format("\"{}\" is neither text nor number nor true or false", key.str()),
                "write it as on the command line, without the dashes");
  }
  (*values)[OptionName(key)] = {.text = std::move(text), .line = line};
  return {};
}

}  // namespace

Result<ConfigFile> ReadConfigFile(const std::string& path) {
  Result<Input> input = OpenInput(path, "", nullptr);
  if (!input) return tl::unexpected(input.error());
  Result<std::string> text = ReadAll(*input, kMaxConfigBytes);
  if (!text) return tl::unexpected(text.error());

  ConfigFile file{.path = path, .common = {}, .tables = {}};
  try {
    const toml::table root = toml::parse(*text, path);
    for (const auto& [key, node] : root) {
      const toml::table* const table = node.as_table();
      if (table == nullptr) {
        Result<void> added = AddValue(path, key, node, &file.common);
        if (!added) return tl::unexpected(added.error());
        continue;
      }
      for (const auto& [inner_key, inner_node] : *table) {
        Result<void> added =
            AddValue(path, inner_key, inner_node, &file.tables[std::string(key.str())]);
        if (!added) return tl::unexpected(added.error());
      }
    }
  } catch (const toml::parse_error& error) {
    return Fail(ErrorKind::kCorrupt, fmt::format("{}, line {}", path, error.source().begin.line),
                std::string(error.description()), "write it as TOML: recent-size = 1024");
  }
  return file;
}

}  // namespace anabranch::cli
