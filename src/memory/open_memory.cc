// Which memory a location names.
#include <utility>

#include "memory/memory.h"
#include "memory/server.h"
#include "memory/sqlite_memory.h"

namespace anabranch {

Result<std::unique_ptr<Memory>> OpenMemory(const std::string& location, EmbedderHandle embedder,
                                           const MemoryOptions& options) {
  return SqliteMemory::OpenAt(location, std::move(embedder), options,
                              SqliteMemory::Fingerprints::kOurs);
}

Result<std::unique_ptr<SqliteMemory>> SqliteMemory::OpenAt(const std::string& location,
                                                           EmbedderHandle embedder,
                                                           const MemoryOptions& options,
                                                           Fingerprints fingerprints) {
  if (IsServerLocation(location)) {
    // Before anything is made or said with it: it may hold a password.
    RETURN_IF_ERROR(OpenRemoteStore(location, {}));
    if (options.journal.empty()) {
      return Fail(ErrorKind::kInvalid, location, "has no local journal",
                  "name its file with --journal");
    }
    ASSIGN_OR_RETURN(std::unique_ptr<SqliteMemory> memory,
                     Open(options.journal, std::move(embedder), fingerprints));
    RETURN_IF_ERROR(memory->Attach(location, options));
    return memory;
  }
  constexpr std::string_view kScheme = "sqlite:";
  const bool scheme = location.starts_with(kScheme);
  const std::string path = scheme ? location.substr(kScheme.size()) : location;
  if (scheme && path.empty()) {
    return Fail(ErrorKind::kInvalid, location, "names no file", "write sqlite:FILE");
  }
  return Open(path, std::move(embedder), fingerprints);
}

}  // namespace anabranch
