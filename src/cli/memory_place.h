// Where a command's memory lives: its location, and for one on a server its journal and password.
#pragma once

#include <string>

#include "anabranch/engine.h"
#include "cli/context.h"
#include "cli/options.h"

namespace anabranch::cli {

// The local journal of a memory on a server when none is named: one file for each server, under
// $XDG_STATE_HOME/anabranch (or ~/.local/state/anabranch). "": no such folder is known.
std::string DefaultJournal(const std::string& location, const Environment& env);

// Fills in memory, journal and memory_password. The folder of a default journal is made. Errors: a
// password file that cannot be read; a server's memory without a place for its journal.
Result<void> PlaceMemory(const StoreFlags& flags, const Environment& env, EngineOptions* options);

}  // namespace anabranch::cli
