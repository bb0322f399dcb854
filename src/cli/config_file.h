// The configuration file: TOML. Keys are the long names of options, with - or _; at the top level
// they are for every command that has them, in a table [COMMAND] for that one alone.
#pragma once

#include <map>
#include <string>

#include "anabranch/result.h"

namespace anabranch::cli {

struct ConfigValue {
  std::string text;  // as it would stand on the command line
  int line = 0;
};

struct ConfigFile {
  std::string path;
  // By option name without dashes in front, with hyphens inside ("recent-size").
  std::map<std::string, ConfigValue> common;
  std::map<std::string, std::map<std::string, ConfigValue>> tables;  // by command
};

// Errors: kNotFound, kIo; kCorrupt with the line, for what is not TOML; kInvalid with the line, for
// a value that is no text, number or boolean.
Result<ConfigFile> ReadConfigFile(const std::string& path);

}  // namespace anabranch::cli
