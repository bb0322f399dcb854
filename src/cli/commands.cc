#include "cli/commands.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "cli/bench.h"
#include "cli/chat.h"
#include "cli/completion.h"
#include "cli/config_file.h"
#include "cli/demo.h"
#include "cli/eval.h"
#include "cli/inspect.h"
#include "cli/json_output.h"
#include "cli/memory_command.h"
#include "cli/option_types.h"
#include "cli/perplexity.h"
#include "cli/run.h"
#include "cli/tokenize.h"

namespace anabranch::cli {
namespace {

int Report(CommandContext& context, const Error& error, int code) {
  if (context.common.json) context.terminal.Out(JsonLine(ErrorJson(error)));
  context.terminal.Fault(error.Message());
  return code;
}

// For a command line that did not parse: true if its errors are wanted as JSON, by its words, by
// the environment or by the file of --config.
bool AsksForJson(const std::vector<std::string>& args, const Environment& env) {
  constexpr std::string_view kJson = "--json=", kConfig = "--config=";
  std::optional<std::string> json = env("ANABRANCH_JSON"), config = env("ANABRANCH_CONFIG");
  for (size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    const std::string& arg = args[i];
    if (arg == "--json") json = "true";
    if (arg.starts_with(kJson)) json = arg.substr(kJson.size());
    if (arg == "--config" && i + 1 < args.size()) config = args[i + 1];
    if (arg.starts_with(kConfig)) config = arg.substr(kConfig.size());
  }
  if (!json && config && *config != "-") {
    const Result<ConfigFile> file = ReadConfigFile(*config);
    if (file && file->common.contains("json")) json = file->common.at("json").text;
  }
  return json && ParseSwitch(*json).value_or(true);
}

// Nobody listening any more is no failure; a full disk is one.
int ExitCode(int code, Terminal& terminal) {
  if (terminal.out_errno() == 0) return code;
  if (terminal.out_errno() == EPIPE) return kExitOk;
  terminal.Fault(std::string("stdout: ") + std::strerror(terminal.out_errno()));
  return kExitFailure;
}

}  // namespace

int ReportError(CommandContext& context, const Error& error) {
  if (error.kind == ErrorKind::kInterrupted) return kExitInterrupted;
  return Report(context, error, kExitFailure);
}

int ReportUsage(CommandContext& context, const Error& error) {
  return Report(context, error, kExitUsage);
}

void AddCommands(CommandLine& line) {
  AddRunCommand(line);
  AddChatCommand(line);
  AddDemoCommand(line);
  AddPerplexityCommand(line);
  AddTokenizeCommand(line);
  AddInspectCommand(line);
  AddBenchCommand(line);
  AddEvalCommand(line);
  AddMemoryCommand(line);
  AddCompletionCommand(line);
}

int RunCommand(const std::vector<std::string>& args, const Environment& env, Terminal& terminal,
               std::atomic<bool>* cancel, bool stdin_is_terminal) {
  CommandLine line;
  AddCommands(line);
  CommandContext context{.terminal = terminal,
                         .env = env,
                         .common = line.common(),
                         .cancel = cancel,
                         .stdin_is_terminal = stdin_is_terminal};
  Result<CommandLine::Request> request = line.Parse(args, env);
  if (!request) {
    CommonOptions common = line.common();
    common.json = common.json || AsksForJson(args, env);
    CommandContext failed{.terminal = terminal,
                          .env = env,
                          .common = common,
                          .cancel = cancel,
                          .stdin_is_terminal = stdin_is_terminal};
    return ReportUsage(failed, request.error());
  }
  const CommonOptions& common = line.common();
  terminal.SetVerbosity(common.quiet     ? Verbosity::kQuiet
                        : common.verbose ? Verbosity::kVerbose
                                         : Verbosity::kNormal);
  if (request->run == nullptr) {
    terminal.Out(request->text);
    return ExitCode(kExitOk, terminal);
  }
  return ExitCode((*request->run)(context), terminal);
}

}  // namespace anabranch::cli
