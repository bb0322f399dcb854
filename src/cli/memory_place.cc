#include "cli/memory_place.h"

#include <filesystem>

#include "cli/state_folder.h"

namespace anabranch::cli {
namespace {

// A location as a file name: what it says of how to connect ("?sslmode=…") is no part of which it
// is.
std::string FileName(const std::string& location) {
  std::string name = location.substr(0, location.find('?'));
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '@';
    if (!plain) c = '_';
  }
  return name;
}

}  // namespace

std::string DefaultJournal(const std::string& location, const Environment& env) {
  const std::string folder = StateFolder(env);
  return folder.empty() ? "" : folder + "/journals/" + FileName(location);
}

Result<void> PlaceMemory(const StoreFlags& flags, const Environment& env, EngineOptions* options) {
  options->memory = flags.memory;
  Result<std::string> password = ReadMemoryPassword(flags, env);
  if (!password) return tl::unexpected(password.error());
  options->memory_password = *std::move(password);
  options->journal = flags.journal;
  if (!IsServerLocation(flags.memory) || !flags.journal.empty()) return {};
  options->journal = DefaultJournal(flags.memory, env);
  if (options->journal.empty()) {
    return Fail(ErrorKind::kInvalid, "--journal", "is not given, and there is no home folder",
                "name the file that is to be the local journal");
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(options->journal).parent_path(), error);
  if (!error) return {};
  return Fail(ErrorKind::kIo, options->journal, error.message(),
              "name another file with --journal");
}

}  // namespace anabranch::cli
