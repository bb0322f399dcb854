// The program without its process, for tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace anabranch::cli {

struct Ran {
  int code = 0;
  std::string out, err;
};

inline std::string ReadBack(std::FILE* file) {
  std::string text(static_cast<size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

inline Ran RunLine(const std::vector<std::string>& args,
                   const std::map<std::string, std::string>& variables = {}) {
  std::FILE* const out = std::tmpfile();
  std::FILE* const err = std::tmpfile();
  std::atomic<bool> cancel{false};
  Ran ran;
  {
    Terminal terminal(out, err, {}, &cancel);
    const Environment env = [&variables](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    ran.code = RunCommand(args, env, terminal, &cancel, true);
  }
  ran.out = ReadBack(out);
  ran.err = ReadBack(err);
  return ran;
}

}  // namespace anabranch::cli
