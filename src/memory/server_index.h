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
  // Vectors that are not in `base`, the first layer of the view, are at the server; `local` has the
  // others. All that is pointed to must outlive it. Call the server's StartRecall before.
  ServerIndex(const UnitView& view, DenseIndex* local, const IndexLayer& base, Server* server,
              const RemoteStreamInfo& stream, const EmbedderHandle& embedder)
      : view_(view),
        local_(*local),
        base_(base),
        server_(*server),
        stream_(stream),
        embedder_(embedder) {}

  // Of a server that does not answer: the best of what is here.
  Result<std::vector<std::vector<DenseHit>>> Nearest(std::span<const float> queries, size_t k,
                                                     const UnitFilter& filter) override;
  // Text whose vector the server does not give is embedded here.
  Result<std::vector<float>> Cosines(std::span<const int64_t> units,
                                     std::span<const float> queries) override;

  // Why the server was left out; "": it was not.
  const std::string& fault() const { return fault_; }

 private:
  bool IsAtServer(int64_t unit) const {
    return unit < base_.table.size() && !base_.table.IsHere(unit);
  }
  Result<std::vector<DenseHit>> NearestAtServer(std::span<const float> query, size_t k,
                                                const UnitFilter& filter);
  // Vectors of units [n, width].
  Result<std::vector<float>> Vectors(std::span<const int64_t> units);

  const UnitView& view_;
  DenseIndex& local_;
  const IndexLayer& base_;
  Server& server_;
  const RemoteStreamInfo& stream_;
  const EmbedderHandle& embedder_;
  std::string fault_;
};

}  // namespace anabranch
