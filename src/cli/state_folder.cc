#include "cli/state_folder.h"

namespace anabranch::cli {

std::string StateFolder(const Environment& env) {
  if (const auto state = env("XDG_STATE_HOME"); state && !state->empty()) {
    return *state + "/anabranch";
  }
  const auto home = env("HOME");
  return home && !home->empty() ? *home + "/.local/state/anabranch" : "";
}

}  // namespace anabranch::cli
