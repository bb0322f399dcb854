// Where a Chroma server is: chroma:http(s)://HOST:PORT[/TENANT/DATABASE].
#pragma once

#include <string>

#include "base/result.h"

namespace anabranch {

struct ChromaLocation {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  int port = 0;
  std::string tenant = "default_tenant";
  std::string database = "default_database";

  // http(s)://HOST:PORT, for errors: holds no secret.
  std::string Name() const;
  // HOST:PORT as a Host header has it.
  std::string Authority() const;
};

// Error kInvalid names what is wrong, and never repeats a password or a query of the location.
Result<ChromaLocation> ParseChromaLocation(const std::string& location);

}  // namespace anabranch
