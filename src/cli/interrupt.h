// Ctrl-C: the first stops the work at hand, a second within one second ends the program.
#pragma once

#include <atomic>

namespace anabranch::cli {

// Set by SIGINT once InstallInterrupt was called, and by whoever wants the work to stop. A command
// that goes on afterwards clears it.
std::atomic<bool>& CancelFlag();

// From now on SIGINT sets the flag and interrupts a blocking read; a second one within a second
// leaves at once with exit code 130, the terminal as it was when this was called. Without it,
// SIGINT ends the process.
void InstallInterrupt();

// What is written to stderr when a second interrupt ends the program, to undo a terminal's mode;
// nullptr: nothing. The text must stay alive.
void SetQuitText(const char* text);

}  // namespace anabranch::cli
