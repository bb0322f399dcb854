// Where the value of an option comes from: the command line, else an environment variable
// ANABRANCH_NAME, else the file of --config.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "anabranch/result.h"
#include "cli/context.h"

namespace anabranch::cli {

// Options that say the same thing in different words: a value for one of them makes those void that
// come for the others from a weaker place.
using OptionFamily = std::vector<CLI::Option*>;

// Gives the options of `command` that the command line left out the value of the environment, then
// that of the configuration file ("": none), which may hold options of any command of `root`.
// Errors: a value that does not parse, an unknown name in the file, with their places.
Result<void> FillOptions(const CLI::App& root, CLI::App& command,
                         const std::vector<OptionFamily>& families, const Environment& env,
                         const std::string& config);

}  // namespace anabranch::cli
