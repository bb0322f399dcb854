// A memory's server as its streams see it: asked within a time limit, brought up by a drain.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "memory/drain.h"
#include "memory/remote_store.h"

namespace anabranch {

struct ServerOptions {
  RemoteOptions remote;
  std::chrono::milliseconds recall_timeout{2000};
  DrainOptions drain;
};

// Threads: one at a time, but for the drain's own.
class Server {
 public:
  // `location`: postgresql://… or chroma:…; `journal`: the local file, which exists. Does not
  // connect.
  static Result<std::unique_ptr<Server>> Create(const std::string& location,
                                                const std::string& journal,
                                                const ServerOptions& options);
  ~Server();

  const std::string& location() const { return location_; }
  Drain& drain() { return *drain_; }

  // As RemoteStore's, within recall_timeout in all from StartRecall on. A server that the drain
  // found away is not asked again: kUnavailable at once.
  void StartRecall();
  Result<std::vector<RemoteHit>> Nearest(const RemoteStreamInfo& stream,
                                         std::span<const float> query, size_t k,
                                         const UnitFilter& filter);
  Result<std::vector<RemoteVector>> Vectors(const RemoteStreamInfo& stream,
                                            std::span<const UnitId> ids);

  // True if the server has a stream of that name.
  Result<bool> Has(const std::string& stream);
  // Ids of a stream's units at the server, sorted.
  Result<std::vector<UnitId>> Ids(const RemoteStreamInfo& stream);

 private:
  Server(std::string location, std::unique_ptr<RemoteStore> remote, std::unique_ptr<Drain> drain,
         const ServerOptions& options);
  Result<void> Reach(const RemoteStreamInfo& stream);

  const std::string location_;
  const ServerOptions options_;
  std::unique_ptr<RemoteStore> remote_;  // beside the drain's: a recall does not wait for a batch
  std::vector<std::string> reached_;     // streams that OpenStream was called for
  RemoteStore::Deadline deadline_{};
  std::unique_ptr<Drain> drain_;
};

// The store that a location names, as OpenPostgresStore and OpenChromaStore.
Result<std::unique_ptr<RemoteStore>> OpenRemoteStore(const std::string& location,
                                                     const RemoteOptions& options);

}  // namespace anabranch
