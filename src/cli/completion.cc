#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <vector>

#include "cli/option_types.h"

namespace anabranch::cli {
namespace {

struct OptionWords {
  std::vector<std::string> names;  // with their dashes, without spellings with underscores
  std::string description;
  bool takes_value = false;
  std::vector<std::string> choices;  // of the value; empty: files
};

struct CommandWords {
  std::string path;  // "run", "memory list"
  std::string description;
  std::vector<OptionWords> options;
  std::vector<std::string> choices;  // commands of a group
};

OptionWords WordsOf(const CLI::Option& option) {
  OptionWords words;
  for (const std::string& name : option.get_snames()) words.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) {
    if (name.find('_') == std::string::npos) words.names.push_back("--" + name);
  }
  words.description = option.get_description();
  words.takes_value = TakesValue(option);
  const std::string type = option.get_type_name();
  if (type.find('|') != std::string::npos) {
    for (size_t begin = 0; begin <= type.size();) {
      const size_t end = std::min(type.find('|', begin), type.size());
      words.choices.push_back(type.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return words;
}

void Collect(const CLI::App& app, const std::string& path, std::vector<CommandWords>* commands) {
  CommandWords words{
      .path = path, .description = app.get_description(), .options = {}, .choices = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) words.options.push_back(WordsOf(*option));
  }
  const std::vector<const CLI::App*> inner = app.get_subcommands({});
  for (const CLI::App* each : inner) words.choices.push_back(each->get_name());
  if (path == "completion") words.choices = {"bash", "zsh", "fish"};
  commands->push_back(std::move(words));
  for (const CLI::App* each : inner) {
    Collect(*each, path.empty() ? each->get_name() : path + " " + each->get_name(), commands);
  }
}

// In single quotes for a shell.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Names(const CommandWords& command) {
  std::vector<std::string> words = command.choices;
  for (const OptionWords& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("{}", fmt::join(words, " "));
}

// Each name of compgen's output is one word, whatever spaces it holds.
constexpr const char* kBashFiles = R"(mapfile -t COMPREPLY < <(compgen -f -- "$1"))";
constexpr const char* kZshFiles = R"(local IFS=$'\n'; COMPREPLY=($(compgen -f -- "$1")))";

// zsh runs the same function, through its own emulation of bash's completion; `files` puts the
// names of files that begin with $1 into COMPREPLY.
std::string BashScript(const std::vector<CommandWords>& commands, const char* files) {
  std::string words_cases, value_cases;
  for (const CommandWords& command : commands) {
    words_cases +=
        fmt::format("    {}) words={} ;;\n", Quoted(command.path), Quoted(Names(command)));
    for (const OptionWords& option : command.options) {
      if (!option.takes_value) continue;
      for (const std::string& name : option.names) {
        value_cases += fmt::format(
            "    {}) {} ;;\n", Quoted(command.path + " " + name),
            option.choices.empty()
                ? "_anabranch_files \"$current\"; return"
                : fmt::format("COMPREPLY=($(compgen -W {} -- \"$current\")); return",
                              Quoted(fmt::format("{}", fmt::join(option.choices, " ")))));
      }
    }
  }
  return fmt::format(
      R"(_anabranch_files() {{
  {}
}}
_anabranch() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local command="" words=""
  if ((COMP_CWORD > 1)); then command="${{COMP_WORDS[1]}}"; fi
  if [[ $command == memory ]] && ((COMP_CWORD > 2)); then command="memory ${{COMP_WORDS[2]}}"; fi
  case "$command $previous" in
{}  esac
  case "$command" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if ((${{#COMPREPLY[@]}} == 0)) && [[ $current != -* ]]; then
    _anabranch_files "$current"
  fi
}}
complete -o filenames -F _anabranch anabranch
)",
      files, value_cases, words_cases);
}

std::string FishScript(const std::vector<CommandWords>& commands) {
  std::string script = "complete -c anabranch -f -n __fish_use_subcommand\n";
  for (const CommandWords& command : commands) {
    const size_t space = command.path.find(' ');
    const std::string last = command.path.substr(space == std::string::npos ? 0 : space + 1);
    const std::string group = space == std::string::npos ? "" : command.path.substr(0, space);
    if (!command.path.empty()) {
      script += fmt::format(
          "complete -c anabranch -f -n {} -a {} -d {}\n",
          Quoted(group.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + group),
          Quoted(last), Quoted(command.description));
    }
    const std::string seen = command.path.empty() ? "__fish_use_subcommand"
                             : group.empty()      ? "__fish_seen_subcommand_from " + last
                                                  : fmt::format(
                                                        "__fish_seen_subcommand_from {}; and "
                                                             "__fish_seen_subcommand_from {}",
                                                        group, last);
    for (const OptionWords& option : command.options) {
      script += "complete -c anabranch -n " + Quoted(seen);
      for (const std::string& name : option.names) {
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option.takes_value) script += option.choices.empty() ? " -r" : " -x";
      if (!option.choices.empty()) {
        script += " -a " + Quoted(fmt::format("{}", fmt::join(option.choices, " ")));
      }
      script += " -d " + Quoted(option.description) + "\n";
    }
    if (command.path == "completion") {
      script += fmt::format("complete -c anabranch -f -n {} -a 'bash zsh fish'\n", Quoted(seen));
    }
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CLI::App& app, Shell shell) {
  std::vector<CommandWords> commands;
  Collect(app, "", &commands);
  switch (shell) {
    case Shell::kBash:
      return BashScript(commands, kBashFiles);
    case Shell::kZsh:
      return "#compdef anabranch\nautoload -U +X bashcompinit && bashcompinit\n" +
             BashScript(commands, kZshFiles);
    case Shell::kFish:
      return FishScript(commands);
  }
  return "";
}

void AddCompletionCommand(CommandLine& line) {
  const auto shell = std::make_shared<std::string>();
  const CLI::App* root = &line.app();
  CLI::App& app = line.AddCommand(
      "completion", "A script that completes commands and options, for bash, zsh or fish",
      [shell, root](CommandContext& context) {
        const Shell kind = *shell == "bash"  ? Shell::kBash
                           : *shell == "zsh" ? Shell::kZsh
                                             : Shell::kFish;
        context.terminal.Out(CompletionScript(*root, kind));
        return kExitOk;
      });
  app.add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
}

}  // namespace anabranch::cli
