// The program's process: environment, terminal and signals; everything else is in RunCommand.
#include <signal.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <exception>

#include "cli/commands.h"
#include "cli/interrupt.h"

namespace {

std::optional<std::string> GetEnv(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

int main(int argc, char** argv) {
  namespace cli = anabranch::cli;
  // The line editor reads characters in the locale's encoding: UTF-8, whatever else is set.
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  // A closed pipe and a file that may grow no more are errors of the write that meets them.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  const cli::TerminalStyle style{
      .out_is_terminal = isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = isatty(STDERR_FILENO) == 1,
      .escapes = GetEnv("TERM").value_or("dumb") != "dumb",
      .color = GetEnv("NO_COLOR").value_or("").empty(),
  };
  cli::Terminal terminal(stdout, stderr, style, &cli::CancelFlag());
  try {
    return cli::RunCommand({argv + 1, argv + argc}, GetEnv, terminal, &cli::CancelFlag(),
                           isatty(STDIN_FILENO) == 1);
  } catch (const std::exception& error) {  // out of memory, a filesystem that misbehaves
    terminal.Fault(error.what());
    return cli::kExitFailure;
  }
}
