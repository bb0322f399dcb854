// The dense index of a stream whose older vectors are at a server: it is asked for those, and the
// rest is scanned here.
#pragma once

#include <string>
#include <vector>

#include "memory/dense_index.h"
#include "memory/index_layer.h"
#include "memory/memory.h"
#include "memory/server.h"

namespace anabranch {

class ServerIndex : public DenseIndex {
 public:
  // The vectors of units [0, n_remote) of the view are at the server alone; `local` has the others.
  // All that is pointed to must outlive it.
  ServerIndex(const UnitView& view, DenseIndex* local, int64_t n_remote, Server* server,
              const RemoteStreamInfo& stream, const EmbedderHandle& embedder)
      : view_(view),
        local_(*local),
        n_remote_(n_remote),
        server_(*server),
        stream_(stream),
        embedder_(embedder) {
    server_.StartRecall();
  }

  // Of a server that does not answer: the best of what is here.
  Result<std::vector<std::vector<DenseHit>>> Nearest(std::span<const float> queries, size_t k,
                                                     const UnitFilter& filter) override;
  // Text whose vector the server does not give is embedded here.
  Result<std::vector<float>> Cosines(std::span<const int64_t> units,
                                     std::span<const float> queries) override;

  // Why the server was left out; "": it was not.
  const std::string& fault() const { return fault_; }

 private:
  Result<std::vector<DenseHit>> NearestAtServer(std::span<const float> query, size_t k,
                                                const UnitFilter& filter);
  // Vectors of units [n, width].
  Result<std::vector<float>> Vectors(std::span<const int64_t> units);

  const UnitView& view_;
  DenseIndex& local_;
  const int64_t n_remote_;
  Server& server_;
  const RemoteStreamInfo& stream_;
  const EmbedderHandle& embedder_;
  std::string fault_;
};

}  // namespace anabranch
