// The command line: commands with their options, from CLI11.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "anabranch/result.h"
#include "cli/context.h"
#include "cli/option_layers.h"

namespace anabranch::cli {

using CommandFn = std::function<int(CommandContext&)>;

class CommandLine {
 public:
  CommandLine();

  // A new command, whose options the caller declares; `run` is called when it is the one asked for.
  CLI::App& AddCommand(const std::string& name, const std::string& description, CommandFn run);
  // A command with commands of its own ("memory list"); it cannot be asked for alone.
  CLI::App& AddGroup(const std::string& name, const std::string& description);
  CLI::App& AddCommand(CLI::App& group, const std::string& name, const std::string& description,
                       CommandFn run);
  void AddFamily(OptionFamily options);

  // What was asked for: a command to run, or a text to print (--help, --version).
  struct Request {
    const CommandFn* run = nullptr;
    std::string text;
  };
  // `args` without the program's name. Errors: a usage that is wrong, of whatever kind; a wrong
  // configuration file is one. To be called once.
  Result<Request> Parse(std::vector<std::string> args, const Environment& env);

  const CommonOptions& common() const { return common_; }
  const CLI::App& app() const { return app_; }

 private:
  void AddGeneralOptions(CLI::App& command);
  Error Unknown(const std::vector<std::string>& extras, const CLI::App& command) const;

  CLI::App app_;
  CommonOptions common_;
  bool version_ = false;
  std::map<CLI::App*, CommandFn> runs_;
  std::vector<OptionFamily> families_;
};

}  // namespace anabranch::cli
