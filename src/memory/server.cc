#include "memory/server.h"

#include <algorithm>

namespace anabranch {
namespace {

// How long the end of a memory waits for the drain of a server that answers.
constexpr std::chrono::milliseconds kLastFlush{10000};

}  // namespace

Result<std::unique_ptr<RemoteStore>> OpenRemoteStore(const std::string& location,
                                                     const RemoteOptions& options) {
  return location.starts_with("chroma:") ? OpenChromaStore(location, options)
                                         : OpenPostgresStore(location, options);
}

bool IsServerLocation(std::string_view location) {
  return location.starts_with("chroma:") || location.starts_with("postgresql:") ||
         location.starts_with("postgres:");
}

Result<std::unique_ptr<Server>> Server::Create(const std::string& location,
                                               const std::string& journal,
                                               const ServerOptions& options) {
  RemoteOptions asked = options.remote;
  asked.timeout = std::min(asked.timeout, options.recall_timeout);
  ASSIGN_OR_RETURN(std::unique_ptr<RemoteStore> remote, OpenRemoteStore(location, asked));
  ASSIGN_OR_RETURN(std::unique_ptr<RemoteStore> drained, OpenRemoteStore(location, options.remote));
  ASSIGN_OR_RETURN(std::unique_ptr<Drain> drain,
                   Drain::Start(journal, location, std::move(drained), options.drain));
  return std::unique_ptr<Server>(
      new Server(location, std::move(remote), std::move(drain), options));
}

Server::Server(std::string location, std::unique_ptr<RemoteStore> remote,
               std::unique_ptr<Drain> drain, const ServerOptions& options)
    : location_(std::move(location)),
      options_(options),
      remote_(std::move(remote)),
      drain_(std::move(drain)) {}

Server::~Server() { drain_->Flush(kLastFlush); }

void Server::StartRecall() {
  deadline_ = std::chrono::steady_clock::now() + options_.recall_timeout;
}

// The first call for a stream checks that what the server has is this stream's.
Result<void> Server::Reach(const RemoteStreamInfo& stream) {
  if (std::string fault = drain_->fault(); !fault.empty()) {
    return Fail(ErrorKind::kUnavailable, location_, "is behind: " + fault);
  }
  if (std::find(reached_.begin(), reached_.end(), stream.name) != reached_.end()) return {};
  RETURN_IF_ERROR(remote_->OpenStream(stream));
  reached_.push_back(stream.name);
  return {};
}

Result<std::vector<RemoteHit>> Server::Nearest(const RemoteStreamInfo& stream,
                                               std::span<const float> query, size_t k,
                                               const UnitFilter& filter) {
  RETURN_IF_ERROR(Reach(stream));
  return remote_->Nearest(stream.name, query, k, filter, deadline_);
}

Result<std::vector<RemoteVector>> Server::Vectors(const RemoteStreamInfo& stream,
                                                  std::span<const UnitId> ids) {
  RETURN_IF_ERROR(Reach(stream));
  return remote_->Vectors(stream.name, ids, deadline_);
}

Result<bool> Server::Has(const std::string& stream) {
  ASSIGN_OR_RETURN(const std::vector<RemoteStreamInfo> streams, remote_->Streams());
  return std::any_of(streams.begin(), streams.end(),
                     [&](const RemoteStreamInfo& info) { return info.name == stream; });
}

Result<std::vector<UnitId>> Server::Ids(const RemoteStreamInfo& stream) {
  RETURN_IF_ERROR(Reach(stream));
  return remote_->Ids(stream.name);
}

}  // namespace anabranch
