#include "cli/option_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cli/config_file.h"

namespace anabranch::cli {
namespace {

struct Given {
  std::string text;
  std::string place;  // for messages
};
using Layer = std::map<std::string, Given>;  // by option name

bool HasValue(const CLI::Option* option) { return option->count() > 0; }

bool FamilyHasValue(const CLI::Option* option, const std::vector<OptionFamily>& families) {
  if (HasValue(option)) return true;
  return std::ranges::any_of(families, [&](const OptionFamily& family) {
    return std::ranges::find(family, option) != family.end() &&
           std::ranges::any_of(family, HasValue);
  });
}

Result<void> SetValue(CLI::Option* option, const Given& given) {
  try {
    option->add_result(given.text);
    option->run_callback();
  } catch (const CLI::ParseError& error) {
    return Fail(ErrorKind::kInvalid, given.place, error.what());
  }
  return {};
}

// All options of a layer are chosen before the first is set, so that a family's members in one
// layer do not shadow each other.
Result<void> Apply(const Layer& layer, CLI::App& command,
                   const std::vector<OptionFamily>& families) {
  std::vector<std::pair<CLI::Option*, const Given*>> chosen;
  for (CLI::Option* option : command.get_options()) {
    if (FamilyHasValue(option, families)) continue;
    for (const std::string& name : option->get_lnames()) {
      const auto given = layer.find(name);
      if (given == layer.end()) continue;
      chosen.emplace_back(option, &given->second);
      break;
    }
  }
  for (const auto& [option, given] : chosen) {
    Result<void> set = SetValue(option, *given);
    if (!set) return set;
  }
  return {};
}

std::string VariableName(const std::string& option_name) {
  std::string name = option_name;
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return "ANABRANCH_" + name;
}

bool IsLayered(const std::string& name) {
  return name != "help" && name.find('_') == std::string::npos;
}

Layer FromEnvironment(const CLI::App& command, const Environment& env) {
  Layer layer;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (!IsLayered(name)) continue;
      const std::string variable = VariableName(name);
      if (const auto value = env(variable)) layer[name] = {*value, "$" + variable};
    }
  }
  return layer;
}

void CollectNames(const CLI::App& app, std::set<std::string>* names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (IsLayered(name) && name != "version" && name != "config") names->insert(name);
    }
  }
  for (const CLI::App* command : app.get_subcommands({})) CollectNames(*command, names);
}

Result<Layer> FromFile(const CLI::App& root, const CLI::App& command, const ConfigFile& file) {
  std::set<std::string> known;
  CollectNames(root, &known);
  Layer layer;
  const auto take = [&](const std::map<std::string, ConfigValue>& values,
                        bool wanted) -> Result<void> {
    for (const auto& [name, value] : values) {
      const std::string place = fmt::format("{}, line {}", file.path, value.line);
      if (!known.contains(name)) {
        return Fail(ErrorKind::kInvalid, place,
                    fmt::format("\"{}\" is no option of any command", name),
                    "anabranch COMMAND --help lists them");
      }
      if (wanted) layer[name] = {value.text, place};
    }
    return {};
  };
  Result<void> taken = take(file.common, true);
  if (!taken) return tl::unexpected(taken.error());
  for (const auto& [name, values] : file.tables) {
    const std::vector<const CLI::App*> commands = root.get_subcommands({});
    const auto table = std::ranges::find(commands, name, &CLI::App::get_name);
    if (table == commands.end()) {
      return Fail(ErrorKind::kInvalid, file.path, fmt::format("[{}] is no command", name),
                  "anabranch --help lists them");
    }
    taken = take(values, *table == &command || *table == command.get_parent());
    if (!taken) return tl::unexpected(taken.error());
  }
  return layer;
}

}  // namespace

Result<void> FillOptions(const CLI::App& root, CLI::App& command,
                         const std::vector<OptionFamily>& families, const Environment& env,
                         const std::string& config) {
  Result<void> applied = Apply(FromEnvironment(command, env), command, families);
  // The environment may have named the file: `config` is read after it.
  if (!applied || config.empty()) return applied;
  Result<ConfigFile> file = ReadConfigFile(config);
  if (!file) return tl::unexpected(file.error());
  Result<Layer> layer = FromFile(root, command, *file);
  if (!layer) return tl::unexpected(layer.error());
  return Apply(*layer, command, families);
}

}  // namespace anabranch::cli
