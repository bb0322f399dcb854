// Calls of Chroma's REST API (v2): JSON in, JSON or an error of remote_store.h's kinds out.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "memory/chroma_connection.h"
#include "memory/chroma_location.h"
#include "memory/remote_store.h"

namespace anabranch {

// Retry-After as seconds or as an HTTP date, an hour at most; 0: absent, over, or neither.
std::chrono::milliseconds ParseRetryAfter(const std::string& header,
                                          std::chrono::system_clock::time_point now);

// Threads: one at a time.
class ChromaHttp {
 public:
  using Deadline = ChromaConnection::Deadline;

  // Does not connect.
  static Result<ChromaHttp> Make(const ChromaLocation& location, const RemoteOptions& options);

  // What the server answers to METHOD /api/v2PATH. `body`: null for none. Beside the kinds of
  // remote_store.h: kNotFound for HTTP 404, which every caller must turn into one of those. No
  // error holds the token, even if the server repeats it.
  Result<nlohmann::json> Call(const char* method, const std::string& path,
                              const nlohmann::json& body, Deadline deadline);
  // The same with a body that is written already.
  Result<nlohmann::json> CallText(const char* method, const std::string& path, std::string body,
                                  Deadline deadline);

  // The server, for errors.
  const std::string& name() const { return name_; }
  std::chrono::milliseconds retry_after() const { return retry_after_; }

 private:
  ChromaHttp(std::string name, std::string token, std::unique_ptr<ChromaConnection> connection);
  Failure Refused(const ChromaReply& reply) const;
  std::string Quote(const std::string& body) const;

  std::string name_, token_;
  std::unique_ptr<ChromaConnection> connection_;
  std::chrono::milliseconds retry_after_{0};
};

}  // namespace anabranch
