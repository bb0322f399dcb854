// What every command gets beside its own options.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "anabranch/result.h"
#include "cli/terminal.h"

namespace anabranch::cli {

// Exit codes of the program.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;

// The value of an environment variable; empty when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Options of all commands.
struct CommonOptions {
  bool json = false, verbose = false, quiet = false;
  std::string config;  // a TOML file
};

struct CommandContext {
  Terminal& terminal;
  const Environment& env;
  const CommonOptions& common;
  std::atomic<bool>* cancel;  // set by Ctrl-C and by a closed stdout
  bool stdin_is_terminal = false;
};

// Reports an error (with --json on stdout as well) and gives the exit code for it.
int ReportError(CommandContext& context, const Error& error);
// The same for a command line that is wrong in itself.
int ReportUsage(CommandContext& context, const Error& error);

}  // namespace anabranch::cli
