#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/Config.hpp>  // App.hpp leaves what it needs of it undefined
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "cli/option_layers.h"
#include "cli/option_types.h"
#include "cli/suggest.h"
#include "cli/version.h"

namespace anabranch::cli {
namespace {

constexpr size_t kHelpColumn = 34;

// Help with one line per option, without the spellings with underscores.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kHelpColumn); }

  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    if (is_positional) return option->get_name(true, false);
    std::string names;
    const auto add = [&names](const std::string& dashes, const std::string& name) {
      if (name.find('_') != std::string::npos) return;
      names += (names.empty() ? "" : ", ") + dashes + name;
    };
    for (const std::string& name : option->get_snames()) add("-", name);
    for (const std::string& name : option->get_lnames()) add("--", name);
    return names;
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return TakesValue(*option) ? " " + option->get_type_name() : "";
  }
};

// CLI11 parts groups of options by two empty lines.
std::string WithoutDoubleGaps(std::string help) {
  size_t at = 0;
  while ((at = help.find("\n\n\n", at)) != std::string::npos) help.erase(at, 1);
  return help;
}

// The command that was asked for; the app itself when there is none.
CLI::App& Asked(CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : Asked(*parsed.front());
}

}  // namespace

CommandLine::CommandLine()
    : app_(
          "A language model that reads an endless stream in constant memory and recalls what left "
          "its window.",
          "anabranch") {
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.set_help_flag("-h,--help", "Show this help");
  app_.add_flag("--version", version_, "Show version, commit, compiler and the kernels chosen");
  app_.require_subcommand(0, 1);
  app_.footer(
      "anabranch COMMAND --help explains a command's options. An option may also be given as\n"
      "ANABRANCH_NAME in the environment, or as name = value in the TOML file of --config.");
}

CLI::App& CommandLine::AddGroup(const std::string& name, const std::string& description) {
  CLI::App* group = app_.add_subcommand(name, description);
  group->allow_extras();
  group->require_subcommand(0, 1);
  return *group;
}

CLI::App& CommandLine::AddCommand(const std::string& name, const std::string& description,
                                  CommandFn run) {
  return AddCommand(app_, name, description, std::move(run));
}

CLI::App& CommandLine::AddCommand(CLI::App& group, const std::string& name,
                                  const std::string& description, CommandFn run) {
  CLI::App* command = group.add_subcommand(name, description);
  command->allow_extras();  // so that Unknown can name what is near
  runs_[command] = std::move(run);
  return *command;
}

// Declared after a command's own options, so that help lists them last.
void CommandLine::AddGeneralOptions(CLI::App& command) {
  const auto in_general = [](CLI::Option* option) { return option->group("General"); };
  command.set_help_flag();
  in_general(command.set_help_flag("-h,--help", "Show this help"));
  in_general(AddSwitch(command, "--json", common_.json, "Write JSON Lines to stdout"));
  CLI::Option* verbose =
      in_general(AddSwitch(command, "--verbose", common_.verbose, "Say more on stderr"));
  CLI::Option* quiet =
      in_general(AddSwitch(command, "--quiet", common_.quiet, "Say only errors on stderr"));
  in_general(AddText(command, "--config", common_.config, "TOML file with options"))
      ->type_name("FILE");
  AddFamily({verbose, quiet});
}

void CommandLine::AddFamily(OptionFamily options) { families_.push_back(std::move(options)); }

Error CommandLine::Unknown(const std::vector<std::string>& extras, const CLI::App& command) const {
  std::string word = extras.front();
  if (word.starts_with("-")) word = word.substr(0, word.find('='));
  std::string key = word;
  std::replace(key.begin(), key.end(), '_', '-');
  std::vector<std::string> candidates;
  const bool is_option = word.starts_with("-");
  if (is_option) {
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (name.find('_') == std::string::npos) candidates.push_back("--" + name);
      }
    }
  } else {
    for (const CLI::App* each : command.get_subcommands({})) candidates.push_back(each->get_name());
  }
  const std::string nearest = Nearest(key, candidates);
  const std::string asked =
      &command == &app_ ? "anabranch"
      : command.get_parent() == &app_
          ? "anabranch " + command.get_name()
          : fmt::format("anabranch {} {}", command.get_parent()->get_name(), command.get_name());
  return {.kind = ErrorKind::kInvalid,
          .what = word,
          .fault = is_option            ? fmt::format("is no option of {}", asked)
                   : candidates.empty() ? fmt::format("is one argument too many for {}", asked)
                                        : fmt::format("is no command of {}", asked),
          .remedy = nearest.empty() ? fmt::format("see {} --help", asked)
                                    : fmt::format("did you mean {}?", nearest)};
}

Result<CommandLine::Request> CommandLine::Parse(std::vector<std::string> args,
                                                const Environment& env) {
  app_.allow_extras();
  for (const auto& [command, run] : runs_) AddGeneralOptions(*command);
  std::ranges::reverse(args);  // as CLI11 wants it
  try {
    app_.parse(std::move(args));
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = Asked(app_);
    std::string name = &asked == &app_ ? "" : "anabranch";
    if (&asked != &app_ && asked.get_parent() != &app_)
      name += " " + asked.get_parent()->get_name();
    return Request{.run = nullptr, .text = WithoutDoubleGaps(asked.help(name))};
  } catch (const CLI::ParseError& error) {
    return Fail(ErrorKind::kInvalid, "", error.what(), "see --help");
  }
  CLI::App& command = Asked(app_);
  std::vector<std::string> extras = app_.remaining(true);
  std::erase(extras, "--");  // the end of options, which CLI11 leaves among them
  const bool asks_version = version_ || (!extras.empty() && extras.front() == "--version");
  if (asks_version) return Request{.run = nullptr, .text = VersionText(env)};
  if (!extras.empty()) return tl::unexpected(Unknown(extras, command));
  const auto run = runs_.find(&command);
  if (run == runs_.end()) {
    return Fail(ErrorKind::kInvalid, "", "no command was given",
                &command == &app_ ? "see anabranch --help"
                                  : fmt::format("see anabranch {} --help", command.get_name()));
  }
  Result<void> filled = FillOptions(app_, command, families_, env, common_.config);
  if (!filled) return tl::unexpected(filled.error());
  return Request{.run = &run->second, .text = {}};
}

}  // namespace anabranch::cli
