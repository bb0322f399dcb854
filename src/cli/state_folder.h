// Where the program keeps what it notes down for itself.
#pragma once

#include <string>

#include "cli/context.h"

namespace anabranch::cli {

// $XDG_STATE_HOME/anabranch, or ~/.local/state/anabranch; "": neither is known.
std::string StateFolder(const Environment& env);

}  // namespace anabranch::cli
